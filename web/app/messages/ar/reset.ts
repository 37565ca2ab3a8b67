/** Texts of the page that a password reset link opens. */
import type { Messages } from '..';

export const reset: Messages['reset'] = {
  documentTitle: 'تعيين كلمة مرور جديدة · Tandem',
  title: 'تعيين كلمة مرور جديدة',
  newPassword: 'كلمة المرور الجديدة',
  newPasswordHint: 'استخدم 10 أحرف على الأقل. سيُسجَّل خروجك من جميع الأجهزة.',
  showPassword: 'إظهار كلمة المرور',
  changePassword: 'تغيير كلمة المرور',
  changed: 'تم تغيير كلمة المرور',
  changedHint: 'سُجّل خروجك من جميع الأجهزة. سجّل الدخول بكلمة المرور الجديدة.',
  logIn: 'تسجيل الدخول',
  goToLogIn: 'الانتقال إلى تسجيل الدخول',
  linkIncomplete: 'هذا الرابط غير مكتمل',
  linkIncompleteHint: 'انسخ الرابط كاملًا، أو اطلب من المشرف رابطًا جديدًا.',
  linkInvalid: 'لم يعد هذا الرابط صالحًا',
  linkInvalidHint: 'يعمل رابط إعادة التعيين مرة واحدة خلال 24 ساعة. اطلب من المشرف رابطًا جديدًا.',
};
