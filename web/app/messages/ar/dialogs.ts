/** Dialogs: new conversations, people, profiles, and questions before an action. */
import type { Messages } from '..';
import { counting, list, part } from './grammar';

const addCount = counting('إضافة', 'إضافة', 'إضافة شخصين', 'إضافة # أشخاص', 'إضافة # شخصًا', 'إضافة # شخص');
const acceptCount = counting(
  'على # شخص قبول دعوتك أولًا.',
  'على شخص واحد قبول دعوتك أولًا.',
  'على شخصين قبول دعوتك أولًا.',
  'على # أشخاص قبول دعوتك أولًا.',
  'على # شخصًا قبول دعوتك أولًا.',
  'على # شخص قبول دعوتك أولًا.',
);
const otherMembers = counting('أي عضو آخر', 'عضوًا آخر', 'عضوين آخرين', '# أعضاء آخرين', '# عضوًا آخر', '# عضو آخر');
const notified = counting(
  'لن يتلقى أحد إشعارًا.',
  'سيتلقى شخص واحد إشعارًا.',
  'سيتلقى شخصان إشعارًا.',
  'سيتلقى # أشخاص إشعارًا.',
  'سيتلقى # شخصًا إشعارًا.',
  'سيتلقى # شخص إشعارًا.',
);
const readQuestion = counting(
  'تعليم # محادثة مقروءة؟',
  'تعليم محادثة واحدة مقروءة؟',
  'تعليم محادثتين مقروءتين؟',
  'تعليم # محادثات مقروءة؟',
  'تعليم # محادثة مقروءة؟',
  'تعليم # محادثة مقروءة؟',
);
const unsentMessages = counting('', 'رسالة واحدة غير مرسلة', 'رسالتان غير مرسلتين', '# رسائل غير مرسلة', '# رسالة غير مرسلة', '# رسالة غير مرسلة');
const drafts = counting('', 'مسودة واحدة', 'مسودتان', '# مسودات', '# مسودة', '# مسودة');

export const dialogs: Messages['dialogs'] = {
  forward: 'إعادة توجيه الرسالة',
  forwardHint: 'يرى نصها كل من في المحادثة. ولا يرى كاتبها ومحادثتها إلا من يمكنه قراءة الرسالة الأصلية.',
  findConversations: 'البحث عن محادثات',
  conversations: 'المحادثات',
  noConversation: 'لا محادثة بهذا الاسم.',
  comment: 'تعليق (اختياري)',
  forwardTo: counting(
    'إعادة توجيه',
    'إعادة توجيه',
    'إعادة توجيه إلى محادثتين',
    'إعادة توجيه إلى # محادثات',
    'إعادة توجيه إلى # محادثة',
    'إعادة توجيه إلى # محادثة',
  ),
  forwardedTo: (names) => `أُعيد توجيه الرسالة إلى ${list(names.length > 3 ? [...names.slice(0, 3).map(part), 'أخرى'] : names.map(part))}.`,

  notLoaded: 'تعذّر التحميل. حاول مرة أخرى أو أعد تحميل الصفحة.',

  addPeople: 'إضافة أشخاص',
  addPeopleTo: (conversation) => `إضافة أشخاص إلى ${part(conversation)}`,
  add: addCount,
  mustAccept: (name) => `على ${part(name)} قبول دعوتك أولًا.`,
  severalMustAccept: acceptCount,

  findPeople: 'البحث عن أشخاص',
  findPeopleByName: 'البحث عن أشخاص بالاسم',
  people: 'الأشخاص',
  selected: 'المحدّدون',
  removeName: (name) => `إزالة ${part(name)}`,
  noMatch: 'لا أحد بهذا الاسم.',
  onlyYou: 'لا أحد هنا غيرك حتى الآن.',
  invitePeople: 'دعوة أشخاص',
  allAdded: 'الجميع في هذه المحادثة بالفعل.',
  searching: 'جارٍ البحث…',

  newMessage: 'رسالة جديدة',
  startConversation: 'بدء محادثة',
  startGroup: 'بدء مجموعة',
  groupName: 'اسم المجموعة (اختياري)',
  groupNameHint: 'دون اسم تُعرض أسماء أعضائها.',

  createAChannel: 'إنشاء قناة',
  createChannel: 'إنشاء القناة',
  name: 'الاسم',
  nameHint: 'مثل design أو release-notes',
  topic: 'الموضوع (اختياري)',
  private: 'خاصة',
  privateHint: 'لا يجدها ولا يقرؤها إلا من يُضاف إليها.',

  notifyAll: (conversation) => `إشعار كل من في ${part(conversation)}؟`,
  notifyHere: (conversation) => `إشعار كل المتصلين في ${part(conversation)}؟`,
  notifyText: (others, online) => {
    if (others === undefined) return 'سيتلقى كل منهم إشعارًا.';
    return online ? `تضم ${otherMembers(others)}. سيتلقى المتصلون منهم إشعارًا.` : notified(others);
  },
  notify: 'إرسال مع الإشعار',

  leave: 'مغادرة',
  leaveQuestion: (conversation) => `مغادرة ${part(conversation)}؟`,
  leaveClosed: 'لا يمكنك الانضمام مجددًا إلا إذا أضافك أحد الأعضاء.',
  leaveOpen: 'يمكنك الانضمام مجددًا من قائمة القنوات.',

  newSection: 'قسم جديد',
  renameSection: 'إعادة تسمية القسم',
  sectionName: 'الاسم',
  sectionHint: 'مثل «المشاريع». لا يراه غيرك.',
  createSection: 'إنشاء القسم',

  markAllRead: 'تعليم الكل مقروءًا',
  markAllReadQuestion: readQuestion,
  markAllReadText: 'يزيل هذا إشاراتها أيضًا على كل أجهزتك.',

  logOutAlso: (name) => `تسجيل الخروج من ${part(name)} أيضًا`,
  logOut: 'تسجيل الخروج',
  logOutQuestion: 'تسجيل الخروج؟',
  logOutText: (messageCount, draftCount) => {
    const unsent = [messageCount && unsentMessages(messageCount), draftCount && drafts(draftCount)].filter(Boolean);
    if (!unsent.length) return 'لا شيء غير مرسل على هذا الجهاز.';
    return `على هذا الجهاز ${unsent.join(' و')}. تسجيل الخروج يحذف ذلك.`;
  },

  deleteAccount: 'حذف الحساب',
  deleteAccountQuestion: 'حذف حسابك؟',
  deleteAccountLogin: 'يُسجَّل خروجك من كل الأجهزة ولا يمكنك تسجيل الدخول مجددًا.',
  deleteAccountProfile: 'يصبح اسمك «مستخدم محذوف». يُحذف ملفك الشخصي وصورتك وإعداداتك وملفاتك غير المرسلة.',
  deleteAccountLeave: 'تغادر كل القنوات والمجموعات. يصبح مشرف آخر فيها مالكًا.',
  yourMessages: 'رسائلك',
  keepMessages: 'إبقاؤها',
  keepMessagesHint: 'يبقى بإمكان الآخرين قراءتها باسم «مستخدم محذوف».',
  deleteMessages: 'حذفها',
  deleteMessagesHint: 'تبقى مكانها ملاحظة «حُذفت الرسالة».',
  typeToConfirm: (name) => `اكتب ${part(name)} للتأكيد`,

  delete: 'حذف',
  deleteMessageQuestion: 'حذف هذه الرسالة؟',
  deleteMessageText: 'يزيلها هذا عند الجميع. تبقى ملاحظة «حُذفت الرسالة».',
  deletedMessage: 'رسالة محذوفة',
  messageFrom: (name) => `رسالة من ${part(name)}`,

  notifications: 'الإشعارات',
  notificationsFor: (conversation) => `إشعارات ${part(conversation)}`,
  setStatus: 'تحديد حالتك',

  profile: 'الملف الشخصي',
  accountDisabled: 'هذا الحساب معطّل. لا أحد يقرأ الرسائل المرسلة إليه.',
  ownedBy: 'يملكه',
  editProfile: 'تعديل الملف الشخصي',
  admin: 'مشرف',
  localTime: (time, zone) => `الوقت المحلي ${part(time)} (${part(zone)})`,
  message: 'رسالة',
  block: 'حجب',
  blockName: (name) => `حجب ${part(name)}`,
  blockText: 'لن تتمكنا من التراسل، وستُخفى رسائله. لن يُبلَّغ بذلك.',
  unblock: 'إلغاء الحجب',
};
