/** Searching messages. */
import type { Messages } from '..';
import { counting, number, part } from './grammar';

const found = counting(
  'لا رسائل',
  'عُثر على رسالة واحدة',
  'عُثر على رسالتين',
  'عُثر على # رسائل',
  'عُثر على # رسالة',
  'عُثر على # رسالة',
);

export const search: Messages['search'] = {
  title: 'البحث',
  everywhere: 'البحث في كل مكان',
  here: 'البحث هنا',
  in: (conversation) => `البحث في ${part(conversation)}`,
  notOnlyIn: (conversation) => `البحث في كل مكان، وليس في ${part(conversation)} فقط`,
  thisConversation: 'هذه المحادثة',
  clear: 'مسح',

  searching: 'جارٍ البحث…',
  results: 'النتائج',
  found: (count, more) => (more ? `عُثر على أكثر من ${number(count)} من الرسائل` : found(count)),
  nothing: 'لم يُعثر على رسائل',
  nothingEverywhere: 'جرّب كلمات أقل أو مختلفة، أو بداية الكلمة فقط.',
  nothingIn: (conversation) => `لا رسائل في ${part(conversation)} تطابق بحثك.`,
  inThread: 'في سلسلة ردود',
  elsewhere: 'مؤرشفة، أو قناة لم تنضم إليها',

  recentSearches: 'عمليات البحث الأخيرة',
  recent: 'الأخيرة',
  howTo: 'ابحث عن كلمات بأي ترتيب. تظهر أيضًا الكلمات الأطول التي تبدأ بكلماتك. استخدم "علامتي الاقتباس" للكلمات الكاملة والعبارات.',
  examples: ['from:ana', 'in:general', 'before:2026-01-31', 'after:2026-01-01', 'on:2026-01-15', 'has:link'],
  daysIn: (zone) => `تبدأ الأيام عند منتصف الليل في منطقتك الزمنية (${part(zone)}).`,
  addFilter: 'إضافة مرشّح',

  filters: 'المرشّحات',
  from: 'رسائل من مستخدم',
  inFilter: 'في محادثة',
  before: 'قبل يوم',
  after: 'في يوم أو بعده',
  on: 'في يوم واحد',
  hasLink: 'تحتوي رابطًا',
  hasFile: 'تحتوي ملفًا أو صورة',
  kinds: { channel: 'قناة', group: 'مجموعة', direct: 'رسالة مباشرة' },
  days: {
    today: 'اليوم',
    yesterday: 'أمس',
    weekAgo: 'قبل أسبوع',
    monthAgo: 'قبل شهر',
    yearAgo: 'قبل سنة',
  },
};
