/** Texts about presence: statuses, when a user was last active, who is typing, and the form that sets a status. */
import type { Messages } from '..';
import { counting, others, part } from './grammar';

export const presence: Messages['presence'] = {
  statuses: {
    online: 'متصل',
    away: 'غائب',
    dnd: 'عدم الإزعاج',
    offline: 'غير متصل',
    invisible: 'مخفي',
    unknown: 'غير معروف',
  },
  justNow: 'الآن',
  minutesAgo: counting('الآن', 'قبل دقيقة', 'قبل دقيقتين', 'قبل # دقائق', 'قبل # دقيقة', 'قبل # دقيقة'),
  hoursAgo: counting('الآن', 'قبل ساعة', 'قبل ساعتين', 'قبل # ساعات', 'قبل # ساعة', 'قبل # ساعة'),
  yesterday: 'أمس',
  daysAgo: counting('اليوم', 'قبل يوم', 'قبل يومين', 'قبل # أيام', 'قبل # يومًا', 'قبل # يوم'),
  onDay: (day) => `في ${part(day)}`,
  lastActive: (status, ago) => `${status}، آخر نشاط ${ago}`,
  typing: {
    one: (name) => `${part(name)} يكتب…`,
    two: (first, second) => `${part(first)} و${part(second)} يكتبان…`,
    more: (first, second, count) => `${part(first)} و${part(second)} و${others(count)} يكتبون…`,
  },
  degraded: 'قد تكون حالات الاتصال قديمة الآن.',
  unavailable: 'حالات الاتصال غير متاحة الآن.',
  form: {
    title: 'حالتك',
    emoji: 'رمز تعبيري',
    message: 'رسالة الحالة',
    messageHint: 'ماذا تفعل؟',
    suggestions: 'اقتراحات',
    focusing: 'في تركيز',
    meeting: 'في اجتماع',
    lunch: 'استراحة الغداء',
    commuting: 'في الطريق',
    sick: 'إجازة مرضية',
    vacation: 'في إجازة',
    appearAs: 'الظهور بحالة',
    clearAfter: 'المسح بعد',
    othersSee: 'يرى الآخرون:',
    clear: 'مسح الحالة',
    saved: 'تم حفظ الحالة',
  },
  clearAfter: {
    open: 'دون مسح',
    half: '30 دقيقة',
    hour: 'ساعة',
    four: '4 ساعات',
    today: 'اليوم',
    week: 'هذا الأسبوع',
  },
};
