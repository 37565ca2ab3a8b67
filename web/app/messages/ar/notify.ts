/** Texts about notifications: the request for permission, the levels of a conversation, and muting. */
import type { Messages } from '..';
import { part } from './grammar';

export const notify: Messages['notify'] = {
  title: 'الإشعارات',
  ask: 'فاتتك رسالة أثناء غيابك. هل تريد تشغيل الإشعارات؟',
  turnOn: 'تشغيل',
  notNow: 'ليس الآن',
  notifyAbout: 'إشعاري بشأن',
  levels: {
    all: 'كل الرسائل',
    mentions: 'الإشارات فقط',
    nothing: 'لا شيء',
  },
  default: (level) => `إعدادك الافتراضي (${level})`,
  defaults: {
    all: 'كل الرسائل',
    mentions: 'الإشارات والكلمات المفتاحية والرسائل المباشرة',
    nothing: 'لا شيء',
  },
  levelHints: {
    all: 'تُحتسب كل رسالة جديدة غير مقروءة',
    mentions: 'الرسائل التي تشير إليك أو تحتوي كلمة مفتاحية فقط',
    nothing: 'دون عدّ غير المقروء ودون إشعارات',
  },
  mute: 'كتم',
  muteFor: 'كتم لمدة',
  mutes: {
    hour: 'ساعة',
    tomorrow: 'حتى الغد',
    week: 'أسبوع',
    forever: 'حتى تلغي الكتم',
  },
  mutedUntil: (moment) => `مكتومة حتى ${part(moment)}`,
  muted: 'مكتومة حتى تلغي الكتم',
  unmute: 'إلغاء الكتم',
  forwarded: 'رسالة معاد توجيهها',
  inChannel: (author, channel) => `${part(author)} في ${part(`#${channel}`)}`,
};
