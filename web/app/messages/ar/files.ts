/** Files: attaching and uploading them, pictures, and the picture of an account. */
import type { Messages } from '..';
import { counting, number, part } from './grammar';

const files_ = counting('لا ملفات', 'ملف واحد', 'ملفان', '# ملفات', '# ملفًا', '# ملف');
const filesOf = counting('# ملف', 'ملف واحد', 'ملفين', '# ملفات', '# ملفًا', '# ملف');

export const files: Messages['files'] = {
  attach: 'إرفاق ملفات',
  dropTo: (place) => `أفلت الملفات لإرفاقها إلى ${part(place)}`,
  tooMany: (most) => `لا تتسع الرسالة لأكثر من ${filesOf(most)}. أرسل الباقي في رسالة أخرى.`,

  addPicture: 'إضافة صورة',
  changePicture: 'تغيير الصورة',
  savingPicture: 'جارٍ الحفظ…',
  pictureHint: 'يراها الجميع. تُقصّ على شكل مربع.',

  file: 'ملف',
  unnamed: 'ملف',
  pictures: counting('لا صور', 'صورة واحدة', 'صورتان', '# صور', '# صورة', '# صورة'),
  files: files_,
  download: (name) => `تنزيل ${part(name)}`,
  downloadSized: (name, size) => `تنزيل ${part(name)}، ${part(size)}`,

  attached: 'الملفات المرفقة',
  remove: (name) => `إزالة ${part(name)}`,
  cancel: (name) => `إلغاء ${part(name)}`,
  retry: (name) => `إعادة محاولة ${part(name)}`,

  picture: (name) => `الصورة ${part(name)}`,
  openPicture: (name) => `فتح الصورة ${part(name)}`,
  position: (at, count) => `${number(at)} من ${number(count)}`,
  downloadOriginal: 'تنزيل الأصل',
  previous: 'الصورة السابقة',
  previousHint: 'السابقة (→)',
  next: 'الصورة التالية',
  nextHint: 'التالية (←)',

  toSend: 'ملفات للإرسال',
  someFailed: 'تعذّر رفع بعض الملفات. أعد المحاولة أو أزلها.',
  sendsLater: 'ستُرسل عند اكتمال الرفع.',
  dontSend: 'عدم الإرسال بعد',
  uploaded: (done, count) => `رُفع ${number(done)} من ${filesOf(count)}`,
  uploading: (name) => `جارٍ رفع ${part(name)}`,
  failed: 'تعذّر رفع هذا الملف.',
  preparing: 'جارٍ التحضير…',
  waitingForConnection: 'في انتظار الاتصال…',
  waiting: 'في الانتظار…',
  resuming: 'جارٍ الاستئناف…',
  progress: (percent, size) => `${number(percent)}% من ${part(size)}`,
};
