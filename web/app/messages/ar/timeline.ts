/** The messages of a conversation: its beginning, its separators, and the state of each message. */
import type { Messages } from '..';
import { counting, list, others, part, plural } from './grammar';

const listed = (names: string[], more: number) => list([...names.map(part), ...(more ? [others(more)] : [])]);
const inThread = counting('لا ردود', 'ردًا', 'ردّين', '# ردود', '# ردًا', '# رد');

export const timeline: Messages['timeline'] = {
  messagesIn: (conversation) => `الرسائل في ${part(conversation)}`,
  beginningOf: (channel) => `هذه بداية ${part(channel)}.`,
  onlyYouAnd: (names) => `لا يقرأ هذه الرسائل إلا أنت و${part(names)}.`,
  notesToYourself: 'ملاحظات لنفسك. لا يقرؤها غيرك.',

  addPeople: 'إضافة أشخاص',
  describe: 'إضافة وصف',
  invite: 'الدعوة برابط',

  joined: (names, more) => `انضم ${listed(names, more)}`,
  left: (names, more) => `غادر ${listed(names, more)}`,
  renamed: (name) => `الاسم الآن ${part(name)}`,

  new: 'جديدة',
  newMessages: counting('لا رسائل جديدة', 'رسالة جديدة', 'رسالتان جديدتان', '# رسائل جديدة', '# رسالة جديدة', '# رسالة جديدة'),
  markedUnread: 'عُلّمت غير مقروءة',
  newMessagesBelow: 'رسائل جديدة',
  jumpToNewest: 'الانتقال إلى الأحدث',
  jumpToUnread: 'الانتقال إلى أول غير مقروءة',
  clearUnread: 'مسح علامة غير المقروء',

  notLoaded: (why) => `تعذّر تحميل الرسائل. ${why}`,
  unavailable: 'هذه الرسالة غير متاحة.',

  deleted: 'حُذفت هذه الرسالة.',
  fromBlocked: 'من شخص حجبته.',
  edited: '(معدّلة)',
  editedAt: (when) => `عُدّلت ${part(when)}`,
  pinned: 'مثبّتة',
  saved: 'محفوظة',
  messageBy: (author, time) => `${part(author)}، ${part(time)}`,
  announced: (author, text) => `${part(author)}: ${part(text)}`,

  showMore: 'عرض المزيد',
  showLess: 'عرض أقل',

  waiting: 'تنتظر الإرسال',
  sending: 'جارٍ الإرسال…',
  notSent: (why) => `لم تُرسل. ${why}`,

  authors: (names) => list(names.length > 2 ? [...names.slice(0, 2).map(part), 'آخرون'] : names.map(part)),
  repliedInThread: (authors, replies) =>
    `${plural(authors, { one: 'أضاف', two: 'أضافا', other: 'أضافوا' })} ${inThread(replies)} في سلسلة:`,
};
