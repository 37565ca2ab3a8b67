/** The pages for what waits for the user: activity, followed threads, and messages saved for later. */
import type { Messages } from '..';
import { list, others, part } from './grammar';

export const triage: Messages['triage'] = {
  activity: 'النشاط',
  filter: 'عرض',
  kinds: { all: 'الكل', mentions: 'الإشارات', replies: 'الردود', reactions: 'التفاعلات' },
  none: {
    all: 'لا نشاط بعد',
    mentions: 'لا إشارات بعد',
    replies: 'لا ردود بعد',
    reactions: 'لا تفاعلات بعد',
  },
  noneText: {
    all: 'تظهر هنا الإشارات والردود في السلاسل التي تتابعها والتفاعلات مع رسائلك.',
    mentions: 'تظهر هنا الرسائل التي تشير إليك أو إلى كل من في محادثة.',
    replies: 'تظهر هنا الردود في السلاسل التي تتابعها.',
    reactions: 'تظهر هنا التفاعلات مع رسائلك.',
  },
  unread: 'غير مقروءة',
  mentioned: '· إشارة إليك',
  mentionedAll: (name) => `· إشارة إلى ${part(`@${name}`)}`,
  replied: '· رد في سلسلة',
  reacted: (emoji) => `· تفاعل بـ ${emoji}`,
  names: (names, more) => list([...names.map(part), ...(more ? [others(more)] : [])]),

  threads: 'سلاسل الردود',
  noThreads: 'لا سلاسل بعد',
  noThreadsText: 'تتابع سلسلة عندما ترد فيها أو يرد عليك أحد.',
  chooseThread: 'اختر سلسلة لقراءتها هنا.',
  thread: 'سلسلة ردود',
  threadIn: (conversation) => `سلسلة في ${part(conversation)}`,
  threadGone: 'هذه السلسلة غير متاحة.',

  later: 'لاحقًا',
  states: { open: 'مفتوحة', done: 'منجزة' },
  noneSaved: { open: 'لا شيء محفوظ لوقت لاحق', done: 'لا شيء منجز بعد' },
  noneSavedText: {
    open: 'احفظ رسالة من قائمتها، أو اضغط A عليها. لا يرى ما تحفظه غيرك.',
    done: 'تظهر هنا الرسائل المحفوظة التي تعلّمها منجزة.',
  },
  markDone: 'تعليم منجزة',
  reopen: 'نقل إلى المفتوحة',
  remindTimes: {
    soon: 'بعد 20 دقيقة',
    hour: 'بعد ساعة',
    later: 'بعد 3 ساعات',
    tomorrow: 'غدًا',
    week: 'الأسبوع القادم',
  },
  remindAt: 'وقت آخر',
  setReminder: 'ضبط التذكير',
  willRemind: (when) => `ستُذكَّر في ${part(when)}.`,

  deleted: 'رسالة محذوفة',
  blocked: 'من شخص حجبته',
  elsewhere: 'محادثة أخرى',
};
