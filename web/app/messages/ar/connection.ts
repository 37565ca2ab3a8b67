/** Texts about the connection to the server, and of the announcement above the conversations. */
import type { Messages } from '..';
import { counting, number } from './grammar';

const inSeconds = counting('# ثانية', 'ثانية واحدة', 'ثانيتين', '# ثوانٍ', '# ثانية', '# ثانية');

export const connection: Messages['connection'] = {
  live: 'مباشر',
  connected: 'تم الاتصال.',
  behind: 'جارٍ اللحاق',
  catchingUp: 'جارٍ جلب ما فاتك.',
  catchingUpOnMissed: 'جارٍ جلب ما فاتك…',
  catchingUpCounted: (done, of) => `جارٍ جلب ما فاتك: ${number(done)} من ${number(of)} من التغييرات…`,
  polling: 'جارٍ التحقق',
  buffered: 'شبكتك تؤخّر التحديثات المباشرة. قد تصل الرسائل متأخرة قليلًا.',
  stalled: 'توقفت شبكتك عن إيصال التحديثات المباشرة. قد تصل الرسائل متأخرة قليلًا.',
  maybeLate: 'قد تصل الرسائل متأخرة قليلًا.',
  offline: 'غير متصل',
  youAreOffline: 'أنت غير متصل بالإنترنت.',
  unreachable: 'تعذّر الوصول إلى الخادم.',
  tooManyRequests: 'الخادم يحدّ من عدد الطلبات.',
  unavailable: 'لا يستطيع الخادم الرد الآن.',
  retryingIn: (seconds) => `إعادة المحاولة بعد ${inSeconds(seconds)}.`,
  retrying: 'جارٍ إعادة المحاولة…',
  unsent: counting(
    'لا رسائل تنتظر الإرسال.',
    'رسالة واحدة تنتظر الإرسال.',
    'رسالتان تنتظران الإرسال.',
    '# رسائل تنتظر الإرسال.',
    '# رسالة تنتظر الإرسال.',
    '# رسالة تنتظر الإرسال.',
  ),
  loggedOut: 'تم تسجيل الخروج',
  youWereLoggedOut: 'تم تسجيل خروجك.',
  moving: 'إعادة الاتصال',
  movingToAnother: 'يُعاد تشغيل الخادم. جارٍ الاتصال بخادم آخر…',
  movingSpoken: 'جارٍ الاتصال بخادم آخر.',
  connecting: 'جارٍ الاتصال',
  connectingNow: 'جارٍ الاتصال…',
  tryNow: 'المحاولة الآن',
  progress: 'جلب ما فاتك',
  announcement: 'إعلان',
  dismissAnnouncement: 'إخفاء الإعلان',
};
