/** Texts around an open conversation: its header, its members panel and its empty states. */
import type { Messages } from '..';
import { counting, members, number } from './grammar';

/** The server counts so many members at most. */
const COUNTED_MOST = 50_000;
const most = (count: number) => (count > COUNTED_MOST ? `أكثر من ${number(COUNTED_MOST)} عضو` : members(count));

export const conversation: Messages['conversation'] = {
  none: 'لا محادثات بعد',
  noneHint: 'انضم إلى قناة أو أرسل رسالة مباشرة.',
  browseChannels: 'تصفّح القنوات',
  newMessage: 'رسالة جديدة',
  invitePeople: 'دعوة أشخاص',
  all: 'كل المحادثات',
  allUnread: (count) => `كل المحادثات، ${number(count)} غير مقروءة`,
  details: 'التفاصيل',
  search: 'بحث',
  members: 'الأعضاء',
  counts: (members, online) => `${most(members)} · ${number(online)} متصل`,
  pinned: 'الرسائل المثبّتة',
  menu: 'قائمة المحادثة',
  notifications: 'الإشعارات',
  addPeople: 'إضافة أشخاص',
  leaveChannel: 'مغادرة القناة',
  leaveGroup: 'مغادرة المجموعة',
  membersIn: (group, count) => `${group}، ${number(count)}`,
  activeAgo: (ago) => `نشط ${ago}`,
  onDevices: counting('ليس على أي جهاز', 'على جهاز واحد', 'على جهازين', 'على # أجهزة', 'على # جهازًا', 'على # جهاز'),
  you: 'أنت',
  moreMembers: 'لا يظهر جميع الأعضاء.',
};
