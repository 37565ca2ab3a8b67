/** One message: its actions, reactions, thread and quote, and the words that stand for it in one line. */
import type { Messages } from '..';
import { counting, number, others, part, parts, replies } from './grammar';

export const message: Messages['message'] = {
  actions: 'إجراءات الرسالة',
  moreActions: 'إجراءات أخرى',
  reactWith: (emoji) => `التفاعل بـ ${emoji}`,
  addReaction: 'إضافة تفاعل',
  reply: 'رد',
  replyInThread: 'رد في سلسلة',
  viewThread: 'عرض السلسلة',
  edit: 'تعديل',
  pin: 'تثبيت',
  unpin: 'إلغاء التثبيت',
  copyText: 'نسخ النص',
  textCopied: 'تم نسخ النص',
  copyCode: 'نسخ الرمز البرمجي',
  codeCopied: 'تم نسخ الرمز البرمجي',
  copyLink: 'نسخ الرابط',
  linkCopied: 'تم نسخ الرابط',
  markUnread: 'تعليم غير مقروءة',
  markRead: 'تعليم مقروءة',
  saveForLater: 'حفظ لوقت لاحق',
  unsave: 'إزالة من «لاحقًا»',
  remindMe: 'تذكيري',
  forward: 'إعادة توجيه',
  forwarded: 'رسالة معاد توجيهها',
  forwardedFrom: 'أُعيد توجيهها من',
  elsewhere: 'محادثة أخرى',
  filesOf: counting('لا ملفات', 'ملف واحد', 'ملفان', '# ملفات', '# ملفًا', '# ملف'),
  noText: 'رسالة بلا نص',
  undo: 'تراجع',
  undoHint: 'أعدها إلى حقل الرسالة. ربما رآها آخرون.',
  viewProfile: 'عرض الملف الشخصي',
  editHistory: 'سجل التعديلات',
  deliveryDetails: 'تفاصيل التسليم',
  report: 'إبلاغ',
  delete: 'حذف',

  reminderMessage: 'عرض الرسالة',
  reminderConversation: 'عرض المحادثة',

  saving: '(جارٍ الحفظ…)',
  notSaved: (why) => `لم تُحفظ. ${why}`,

  writing: 'تُكتب الآن…',
  stop: 'إيقاف',
  stopping: 'جارٍ الإيقاف…',
  streamCancelled: 'أُوقفت قبل نهايتها.',
  streamFailed: 'انقطعت. قد يكون النص غير مكتمل.',

  inReplyTo: 'رد على',
  earlier: 'رسالة سابقة',
  deleted: 'رسالة محذوفة',
  fromBlocked: 'من شخص حجبته',

  reactions: 'التفاعلات',
  reaction: (emoji, count, names) => `${emoji} ${number(count)}: ${names}`,
  you: 'أنت',
  others,
  list: parts,

  seen: 'شوهدت',
  seenByEveryone: 'شاهدها الجميع',
  seenBy: (names) => `شاهدها ${names}`,

  data: 'بيانات',
  dataOf: (type) => `بيانات ${part(type)}`,
  moreFields: counting('لا حقول أخرى', 'عرض حقل آخر', 'عرض حقلين آخرين', 'عرض # حقول أخرى', 'عرض # حقلًا آخر', 'عرض # حقل آخر'),
  dataCut: 'لا تُعرض الحقول الأخرى.',

  previewOf: (title) => `معاينة الرابط: ${part(title)}`,
  removePreview: (title) => `إزالة معاينة ${part(title)}`,

  replies,
  newReplies: (count) => `${number(count)} جديد`,
  lastReply: (when) => `آخر رد ${part(when)}`,
};
