/** Reports of messages, and bans. */
import type { Messages } from '..';
import { part } from './grammar';

export const moderation: Messages['moderation'] = {
  reports: 'البلاغات',
  filter: 'تصفية البلاغات',
  states: { open: 'مفتوحة', resolved: 'معالَجة', all: 'الكل' },
  none: { open: 'لا بلاغات مفتوحة', resolved: 'لا بلاغات معالَجة', all: 'لا بلاغات' },
  noneText: 'تظهر هنا الرسائل المبلَّغ عنها مع سياقها.',

  reportBy: (name) => `بلاغ من ${part(name)}`,
  reportedBy: (name, conversation) => `أبلغ عنها ${part(name)} في ${part(conversation)}`,
  elsewhere: 'محادثة لست فيها',
  you: 'أنت',
  showContext: 'عرض السياق',
  hideContext: 'إخفاء السياق',
  context: 'السياق',
  contextForMembers: 'لا يرى السياق إلا أعضاء المحادثة.',
  deletedMessage: 'رسالة محذوفة',
  viewMessage: 'عرض الرسالة',
  note: 'ملاحظة للمشرفين الآخرين',
  noteHint: 'ملاحظة للمشرفين الآخرين (اختيارية)',
  dismiss: 'تجاهل',
  banAuthor: 'حظر الكاتب…',
  deleteMessage: 'حذف الرسالة',
  messageDeleted: 'تم حذف الرسالة',
  resolve: 'معالجة',
  resolvedBy: (name) => `عالجه ${part(name)}`,
  dismissedBy: (name) => `تجاهله ${part(name)}`,

  reportQuestion: 'الإبلاغ عن هذه الرسالة؟',
  reportText: 'يرى المالكون والمشرفون الرسالة واسمك والسبب. لا يُبلَّغ كاتبها.',
  report: 'إبلاغ',
  reported: 'تم الإبلاغ. سيراجعه المالكون والمشرفون.',
  reason: 'السبب',
  reasons: ['رسائل مزعجة أو إعلانات', 'إهانات أو تهديدات', 'معلومات خاصة عن شخص ما', 'سبب آخر'],
  details: 'التفاصيل (اختيارية)',

  banQuestion: (name, conversation) => (conversation ? `حظر ${part(name)} من ${part(conversation)}؟` : `حظر ${part(name)}؟`),
  banText: 'سيُزال ولا يمكنه الانضمام مجددًا، حتى برابط، إلى أن يرفع مالك أو مشرف الحظر.',
  banPublic: ' هذه القناة عامة، فيبقى بإمكانه قراءتها. اجعلها خاصة لمنعه من ذلك.',
  ban: 'حظر',
  banReason: 'السبب (اختياري)',
  banReasonHint: 'لا يراه إلا المالكون والمشرفون',
  banned: (name) => `تم حظر ${part(name)}`,
};
