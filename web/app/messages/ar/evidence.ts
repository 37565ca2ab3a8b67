/** The edit history of a message, and its delivery to a user. */
import type { Messages } from '..';
import { counting, part } from './grammar';

const openStreams = counting('لا تدفقات مفتوحة', 'تدفق مفتوح واحد', 'تدفقان مفتوحان', '# تدفقات مفتوحة', '# تدفقًا مفتوحًا', '# تدفق مفتوح');
const messageStreams = counting('لا تدفقات رسائل', 'تدفق رسائل واحد', 'تدفقا رسائل', '# تدفقات رسائل', '# تدفق رسائل', '# تدفق رسائل');

export const evidence: Messages['evidence'] = {
  deliveryDetails: 'تفاصيل التسليم',
  deliveryTo: (name) => `التسليم إلى ${part(name)}`,
  findPeople: 'البحث عن أشخاص',
  people: 'الأشخاص',
  noMatch: 'لا أحد بهذا الاسم.',
  noOthers: 'لا أحد آخر في هذه المحادثة.',
  loading: 'جارٍ تحميل تفاصيل التسليم…',
  anotherUser: 'اختيار مستخدم آخر',
  refresh: 'تحديث',
  recorded: 'يُسجَّل هذا في سجل النشاط.',

  steps: 'خطوات التسليم',
  stored: 'كُتبت على القرص',
  storedHint: (position, node) => `الموضع ${part(position)} في السجل${node && `، بواسطة العقدة ${part(node)}`}`,
  session: (session, node) => `الجلسة ${part(session)}، العقدة ${part(node)}`,
  connected: 'اتصل جهاز',
  sent: 'أُرسلت إلى الجهاز',
  replayed: 'أُرسلت إلى الجهاز عند إعادة اتصاله',
  disconnected: (why) => `قُطع اتصال الجهاز: ${why}`,
  ends: {
    drain: 'أُعيد تشغيل الخادم',
    age: 'حان تجديد الاتصال',
    slow: 'كان يقرأ ببطء شديد',
    revoked: 'أُنهيت جلسته',
    expired: 'انقضت صلاحية جلسته',
    epoch: 'استُعيدت قاعدة البيانات',
  },
  closedByDevice: 'قطع الجهاز الاتصال',
  readBy: (name) => `قرأها ${part(name)}`,
  notMember: (name) => `لم يكن ${part(name)} عضوًا عند إرسالها`,
  disabled: (name) => `حساب ${part(name)} معطّل`,
  deleted: 'حُذفت الرسالة',
  unread: (name) => `لم يقرأها ${part(name)} بعد`,
  unreadHint: 'أُرسلت الرسالة إلى جهاز.',
  notReached: 'لم تصل هذه الرسالة إلى أي جهاز متصل',
  noDevice: (name) => `لم يتصل أي جهاز لـ ${part(name)} منذ ذلك الحين`,
  willArrive: 'الرسالة محفوظة، وتُسلَّم عند اتصال جهاز.',
  openStreams: (count, name) => `الآن: ${openStreams(count)} لـ ${part(name)}`,

  verdicts: {
    author: (name) => `كتبها ${part(name)}.`,
    read: (name) => `قرأها ${part(name)}.`,
    receivedAndRead: (name) => `استلمها ${part(name)} وقرأها.`,
    received: (name) => `استلمها ${part(name)} ولم يقرأها بعد.`,
    receivedLater: (name) => `استلمها ${part(name)} بعد إعادة الاتصال ولم يقرأها بعد.`,
    notReceived: (name) => `لم يستلمها ${part(name)}: انتهى كل اتصال منذ ذلك الحين قبل وصولها.`,
    noDevice: (name) => `لم يستلمها ${part(name)}: لم يتصل أي جهاز منذ إرسالها.`,
    excluded: (name, why) => `لا يستلمها ${part(name)}. ${why}`,
  },

  devices: 'الأجهزة المتصلة الآن',
  unnamedDevice: 'جهاز بلا اسم',
  deviceStreams: (session, streams, active) => `${part(session)}: ${messageStreams(streams)}${active ? '، قيد الاستخدام' : ''}`,

  editHistory: 'سجل التعديلات',
  versions: 'الإصدارات',
  edits: 'التعديلات',
  noVersions: 'لا إصدارات سابقة محفوظة.',
  you: 'أنت',
  edited: 'عدّلها',
  deletedIt: 'حذفها',
};
