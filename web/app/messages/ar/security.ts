/** Texts of second factors: confirming a change, recovery codes, and the notice for admins. */
import type { Messages } from '..';
import { part } from './grammar';

export const security: Messages['security'] = {
  code: 'الرمز من تطبيق المصادقة',
  confirmTitle: 'أكّد هويتك',
  confirmHint: 'يحتاج هذا التغيير إلى تأكيدك. لن يُطلب منك مجددًا لمدة 10 دقائق.',
  password: 'كلمة المرور',
  usePassword: 'استخدام كلمة المرور',
  useCode: 'استخدام رمز',
  usePasskey: 'استخدام مفتاح مرور',
  confirm: 'تأكيد',
  confirmWith: (name) => `التأكيد عبر ${part(name)}`,
  stepRequired: 'الخطوة الثانية مطلوبة',
  stepRequiredHint: 'صلاحيات الإشراف متوقفة حتى تضيف خطوة ثانية.',
  setUp: 'إعدادها',
  saveCodes: 'احفظ رموز الاسترداد',
  saveCodesHint: 'يتيح كل رمز تسجيل الدخول مرة واحدة إذا فقدت جهازك. لن تُعرض مرة أخرى.',
  recoveryCodes: 'رموز الاسترداد',
  codesFile: (host, codes) => `رموز استرداد Tandem لـ ${host}\n\n${codes.join('\n')}\n`,
  copy: 'نسخ',
  codesCopied: 'تم نسخ رموز الاسترداد',
  download: 'تنزيل',
  codesSaved: 'حفظتُها',
};
