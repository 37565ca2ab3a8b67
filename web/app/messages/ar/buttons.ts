/** Words on buttons and links of several folders: the same action has the same name everywhere. */
import type { Messages } from '..';

export const buttons: Messages['buttons'] = {
  cancel: 'إلغاء',
  close: 'إغلاق',
  closeHint: 'إغلاق (Esc)',
  copy: 'نسخ',
  discard: 'تجاهل',
  done: 'تم',
  download: 'تنزيل',
  loadMore: 'تحميل المزيد',
  remove: 'إزالة',
  retry: 'إعادة المحاولة',
  save: 'حفظ',
  show: 'عرض',
  tryAgain: 'إعادة المحاولة',
};
