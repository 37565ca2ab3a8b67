/** Texts of the components that every screen uses. */
import type { Messages } from '..';

export const parts: Messages['parts'] = {
  cancel: 'إلغاء',
  save: 'حفظ',
  tryAgain: 'إعادة المحاولة',
  loading: 'جارٍ التحميل…',
  loadMore: 'تحميل المزيد',
  loadFailed: 'تعذّر التحميل. حاول مرة أخرى أو أعد تحميل الصفحة.',
  back: 'رجوع',
  dismiss: 'إخفاء',
  bot: 'روبوت',
};
