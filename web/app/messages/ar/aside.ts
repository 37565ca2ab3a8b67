/** The panels beside a conversation: its pinned messages, and a thread. */
import type { Messages } from '..';
import { part, replies } from './grammar';

export const aside: Messages['aside'] = {
  close: (panel) => `إغلاق ${panel}`,

  pins: 'الرسائل المثبّتة',
  noPins: 'لا رسائل مثبّتة. ثبّت ما ينبغي أن يجده الجميع بسهولة.',
  pinnedBy: (name) => `ثبّتها ${part(name)}`,
  you: 'أنت',
  unpin: 'إلغاء التثبيت',

  thread: 'سلسلة الردود',
  thisThread: 'هذه السلسلة',
  follow: 'متابعة',
  following: 'متابَعة',
  followHint: 'تلقّي إشعارات بالردود الجديدة',
  followingHint: 'تصلك إشعارات بالردود الجديدة',
  replies: 'الردود',
  replyCount: replies,
  noReplies: 'لا ردود بعد',
  loadEarlier: 'تحميل ردود أقدم',
};
