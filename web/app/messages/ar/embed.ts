/** Texts of a conversation in a frame of another page. */
import type { Messages } from '..';

export const embed: Messages['embed'] = {
  loggedOut: 'لم تسجّل الدخول',
  loggedOutHint: 'أعد تحميل الصفحة، أو افتح هذه المحادثة في علامة تبويب جديدة.',
  refused: 'لم تتمكن هذه الصفحة من تسجيل دخولك',
  refusedHint: 'انتهت صلاحية وصولها أو سُحبت. أعد تحميل الصفحة.',
  cookieBlocked: 'يمنع متصفحك ملفات تعريف الارتباط هنا',
  cookieBlockedHint: 'افتح هذه المحادثة في علامة تبويب جديدة بدلًا من ذلك.',
  openInTab: 'فتح في علامة تبويب جديدة',
  openConversation: 'فتح هذه المحادثة في علامة تبويب جديدة',
  notFound: 'لا يمكنك رؤية هذه المحادثة',
  notFoundHint: 'إما أنها غير موجودة أو أنك لست عضوًا فيها.',
  archived: 'هذه المحادثة مؤرشفة',
  archivedHint: 'لم يعد بالإمكان قراءتها هنا.',
  notJoined: 'لم تنضم إلى هذه القناة',
  notJoinedHint: 'انضم لقراءة الرسائل وكتابتها.',
  join: 'الانضمام إلى القناة',
};
