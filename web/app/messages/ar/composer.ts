/** The message field, its suggestions, and the notices that take its place. */
import type { Messages } from '..';
import { counting, list, part } from './grammar';

const listed = (names: string[]) => list(names.length > 3 ? [...names.slice(0, 3).map(part), 'آخرين'] : names.map(part));
const KINDS: Record<string, string> = { channel: 'هذه القناة مؤرشفة.', group: 'هذه المجموعة مؤرشفة.' };

export const composer: Messages['composer'] = {
  message: 'رسالة',
  messageTo: (name) => `رسالة إلى ${part(name)}`,
  replyInThread: 'رد في السلسلة',
  replyHint: 'الرد في هذه السلسلة',
  preview: 'معاينة',
  insertEmoji: 'إدراج رمز تعبيري',
  formatting: 'التنسيق',
  format: {
    bold: 'عريض',
    italic: 'مائل',
    strike: 'يتوسطه خط',
    code: 'رمز برمجي',
    bullets: 'قائمة نقطية',
    numbers: 'قائمة مرقّمة',
    quote: 'اقتباس',
    block: 'كتلة برمجية',
  },
  send: 'إرسال',
  sendLater: 'إرسال لاحقًا',
  sendTimes: { soon: 'بعد 20 دقيقة', tomorrow: 'غدًا', monday: 'الاثنين', own: 'اختيار وقت…' },
  sendTime: (name, time) => `${name} الساعة ${part(time)}`,
  scheduledFor: (when) => `جُدولت الرسالة في ${part(when)}.`,
  charactersLeft: counting('لا أحرف متبقية', 'بقي حرف واحد', 'بقي حرفان', 'بقيت # أحرف', 'بقي # حرفًا', 'بقي # حرف'),
  charactersOver: counting('لا أحرف زائدة', 'حرف واحد زائد', 'حرفان زائدان', '# أحرف زائدة', '# حرفًا زائدًا', '# حرف زائد'),

  suggestions: 'اقتراحات',
  suggestionCount: counting('لا اقتراحات', 'اقتراح واحد', 'اقتراحان', '# اقتراحات', '# اقتراحًا', '# اقتراح'),
  everyoneHere: 'كل المتصلين في هذه المحادثة',
  everyone: 'كل من في هذه المحادثة',

  commandAnswer: 'الرد على الأمر',
  onlyYou: 'لا يراها غيرك',
  commandFiles: 'لا تقبل الأوامر ملفات. أزل الملفات أولًا.',

  archived: (kind) => KINDS[kind] ?? 'هذه المحادثة مؤرشفة.',
  restore: 'استعادة',
  readOnly: 'النشر هنا للمالكين والمشرفين فقط.',
  slowMode: (interval) => `الوضع البطيء: رسالة واحدة كل ${interval}`,

  editMessage: 'تعديل الرسالة',
  editing: 'تعديل',
  notNotified: (names) => `التعديل لا يُرسل إشعارًا إلى ${listed(names)}. أرسل رسالة جديدة بدلًا منه.`,
  notMentioned: (names) => `الحفظ يزيل الإشارة إلى ${listed(names)}.`,
  replyingTo: (name) => `رد على ${part(name)}`,
  cancelReply: 'إلغاء الرد',
  cancelHint: 'إلغاء (Esc)',
};
