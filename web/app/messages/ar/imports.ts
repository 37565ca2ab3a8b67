/** The page for imports of other chats, in the admin dashboard. */
import type { Messages } from '..';
import { counting, number, part } from './grammar';

const messages = counting('لا رسائل', 'رسالة واحدة', 'رسالتان', '# رسائل', '# رسالة', '# رسالة');
const conversations = counting('لا محادثات', 'محادثة واحدة', 'محادثتان', '# محادثات', '# محادثة', '# محادثة');
const accounts = counting('لا حسابات', 'حساب واحد', 'حسابان', '# حسابات', '# حسابًا', '# حساب');

export const imports: Messages['imports'] = {
  title: 'الاستيراد',
  about: 'استورد ملف تصدير من Slack أو Mattermost أو برنامج محادثة آخر. ترى ما سيُستورد قبل استيراد أي شيء.',
  drop: 'أفلت ملف التصدير هنا',
  choose: 'اختيار ملف',
  limit: (size) => `حتى ${part(size)}. يُحذف الملف بعد يوم من آخر استخدام له.`,
  tooLarge: (size) => `هذا الملف كبير جدًا. الحد الأقصى للملفات ${part(size)}.`,
  uploading: (name) => `جارٍ رفع ${part(name)}`,
  uploaded: (sent, size) => `${part(sent)} من ${part(size)}`,
  cancelUpload: 'إلغاء الرفع',
  retryUpload: 'إعادة المحاولة',
  recent: 'عمليات الاستيراد الأخيرة',
  none: 'لا عمليات استيراد بعد',
  noneText: 'تظهر عمليات الاستيراد هنا، مع ما استُورد ومن بدأها.',

  states: {
    checking: 'قيد الفحص',
    ready: 'جاهز',
    running: 'قيد الاستيراد',
    stopped: 'متوقف',
    done: 'اكتمل',
    failed: 'فشل',
    undoing: 'قيد التراجع',
    undone: 'تم التراجع',
  },
  waiting: 'في الانتظار',
  waitingText: 'يبدأ حين لا تجري عملية استيراد أخرى.',
  by: (who, when) => `${part(who)}، ${part(when)}`,
  commandLine: 'سطر الأوامر',
  unknownUser: (id) => `المستخدم ${part(id)}`,

  progress: (name) => `تقدّم ${part(name)}`,
  reading: (read, size) => `قراءة الملف: ${part(read)} من ${part(size)}`,
  writing: (done, total) => `استُورد ${done} من ${total} من العناصر`,
  removing: (count) => `أُزيل: ${messages(count)}`,
  rate: (count) => `${count}/ث`,
  left: (time) => `بقي نحو ${part(time)}`,

  found: 'في الملف',
  imported: 'المستورَد',
  kinds: {
    messages: 'رسائل',
    'replies in threads': 'ردود في سلاسل',
    edited: 'رسائل معدّلة',
    deleted: 'رسائل محذوفة',
    reactions: 'تفاعلات',
    users: 'أشخاص',
    'server admins': 'مشرفون',
    conversations: 'محادثات',
    pins: 'تثبيتات',
    'custom emoji': 'رموز مخصّصة',
    files: 'ملفات',
  },
  newMessages: 'رسائل جديدة',
  knownMessages: 'موجودة هنا من قبل',
  newAccounts: 'حسابات جديدة',

  skipped: 'لم يُستورد',
  skippedNone: 'يمكن استيراد كل ما في الملف.',
  wrong: counting('لا أسطر غير صالحة', 'سطر واحد غير صالح', 'سطران غير صالحين', '# أسطر غير صالحة', '# سطرًا غير صالح', '# سطر غير صالح'),

  conversations: 'المحادثات',
  all: 'كل المحادثات',
  moreConversations: (count) => `هناك ${number(count)} أخرى غير مدرجة. تُستورد فقط مع كل المحادثات.`,
  messages,
  private: 'خاصة',
  unnamed: 'مجموعة بلا اسم',
  people: 'الأشخاص',
  peopleText: 'يحصل الأشخاص على حسابات جديدة دون كلمة مرور. لاستخدام حساب موجود هنا، أدخل اسم المستخدم.',
  accountOf: (name) => `اسم مستخدم ${part(name)} هنا`,
  newAccount: 'حساب جديد',
  morePeople: (count) => `هناك ${number(count)} من الأشخاص غير المدرجين.`,

  start: counting('استيراد', 'استيراد محادثة واحدة', 'استيراد محادثتين', 'استيراد # محادثات', 'استيراد # محادثة', 'استيراد # محادثة'),
  startAll: 'استيراد كل شيء',
  goOn: 'متابعة',
  stop: 'إيقاف',
  stopped: 'توقف الاستيراد. يبقى ما استُورد.',
  remove: 'إزالة',
  removed: 'تمت إزالة الملف.',
  undo: 'تراجع',
  undoUntil: (when) => `يمكنك التراجع عن هذا حتى ${part(when)}.`,
  undoQuestion: (name) => `التراجع عن ${part(name)}؟`,
  undoText: (conversationCount, messageCount, accountCount) =>
    `سيُزال: ${messages(messageCount)}، ${conversations(conversationCount)}، وما يصل إلى ${accounts(accountCount)}.`,
  undoKept: (names) => `تبقى هذه لأن أشخاصًا كتبوا فيها منذ ذلك الحين: ${part(names)}. تُحذف الرسائل المستوردة فيها.`,
  more: (count) => `${number(count)} أخرى`,
  undoYes: 'التراجع عن الاستيراد',
  undoStarted: 'بدأ التراجع.',
  undone: (messageCount, conversationCount, accountCount) =>
    `أُزيل: ${messages(messageCount)}، ${conversations(conversationCount)}، ${accounts(accountCount)}.`,
  undoneKept: (conversationCount, accountCount) =>
    `أُبقي ما استُخدم منذ ذلك الحين: ${conversations(conversationCount)}، ${accounts(accountCount)}.`,
  fileGone: 'حُذف الملف. ارفعه مجددًا للمتابعة.',
};
