/** أرقام الفريق في لوحة المعلومات. */
import type { Messages } from '..';
import { counting, number, part } from './grammar';

const channels = counting('لا قنوات عامة أخرى', 'قناة عامة أخرى', 'قناتان عامتان أخريان', '# قنوات عامة أخرى', '# قناة عامة أخرى', '# قناة عامة أخرى');
const files = counting('لا ملفات', 'ملف واحد', 'ملفان', '# ملفات', '# ملفًا', '# ملف');

export const team: Messages['team'] = {
  title: 'الفريق',
  counting: 'جارٍ العدّ…',
  countedAt: (time) => `عُدّت في ${part(time)}`,

  members: {
    title: 'الأعضاء النشطون',
    day: 'آخر 24 ساعة',
    week: 'آخر 7 أيام',
    month: 'آخر 30 يومًا',
    people: 'الحسابات',
    external: 'من التطبيقات',
    bots: 'الروبوتات',
    disabled: 'المعطّلة',
  },

  messages: {
    title: 'الرسائل',
    total: 'كل الرسائل',
    month: 'آخر 30 يومًا',
    today: 'اليوم',
    about: (count) => `نحو ${part(count)}`,
    perDay: 'الرسائل في اليوم',
    inUtc: 'الأيام بتوقيت UTC.',
    spoken: (day, most, today) => `الأكثر في ${part(day)}: ${part(most)}. اليوم: ${part(today)}.`,
    channels: 'أكثر القنوات نشاطًا',
    otherChannels: (count) => channels(count),
    private: 'القنوات الخاصة والمجموعات والرسائل المباشرة',
    none: 'لا رسائل في آخر 30 يومًا.',
  },

  storage: {
    title: 'التخزين',
    bytes: 'حجم الملفات',
    files: 'الملفات',
    database: 'قاعدة البيانات',
    byKind: 'الملفات بحسب النوع',
    kinds: {
      image: 'الصور',
      video: 'الفيديو',
      audio: 'الصوت',
      document: 'المستندات',
      archive: 'الملفات المضغوطة',
      import: 'ملفات الاستيراد',
      other: 'ملفات أخرى',
    },
    kindSize: (count, size) => `${part(size)} · ${files(count)}`,
    none: 'لا ملفات بعد.',
  },

  notifications: {
    title: 'الإشعارات المرسلة',
    kind: 'النوع',
    day: 'آخر 24 ساعة',
    week: 'آخر 7 أيام',
    failed: 'أخفقت في 7 أيام',
    push: 'الإشعارات الفورية',
    email: 'البريد الإلكتروني',
    since: (moment) => `العدّ منذ ${part(moment)}.`,
    notCounted: 'لم يُعدّ شيء بعد.',
    devices: (count) => `عدد الأجهزة التي يمكن إشعارها: ${number(count)}.`,
    mailsOff: 'الإشعارات بالبريد الإلكتروني متوقفة في هذا الخادم.',
  },

  hooks: {
    title: 'عمليات الدمج',
    kind: 'النوع',
    incoming: 'الخطافات الواردة',
    outgoing: 'الخطافات الصادرة',
    command: 'أوامر الشرطة المائلة',
    running: 'تعمل',
    failing: 'تخفق',
    disabled: 'متوقفة',
    all: 'عرض كل عمليات الدمج',
  },
};
