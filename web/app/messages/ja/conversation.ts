/** Texts around an open conversation: its header, its members panel and its empty states. */
import type { Messages } from '..';
import { counting, members, number } from './grammar';

/** The server counts so many members at most. */
const COUNTED_MOST = 50_000;
const most = (count: number) => (count > COUNTED_MOST ? `${number(COUNTED_MOST)}人以上のメンバー` : members(count));

export const conversation: Messages['conversation'] = {
  none: '会話はまだありません',
  noneHint: 'チャンネルに参加するか、ダイレクトメッセージを送りましょう。',
  browseChannels: 'チャンネルを探す',
  newMessage: '新しいメッセージ',
  invitePeople: 'メンバーを招待',
  all: 'すべての会話',
  allUnread: counting('すべての会話、未読#件'),
  details: '詳細',
  search: '検索',
  members: 'メンバー',
  counts: (members, online) => `${most(members)} · ${number(online)}人がオンライン`,
  pinned: 'ピン留めしたメッセージ',
  menu: '会話のメニュー',
  notifications: '通知',
  addPeople: 'メンバーを追加',
  leaveChannel: 'チャンネルから退出',
  leaveGroup: 'グループから退出',
  membersIn: (group, count) => `${group}、${number(count)}人`,
  activeAgo: (ago) => `最終アクティブ: ${ago}`,
  onDevices: counting('#台のデバイス'),
  you: '自分',
  moreMembers: '一部のメンバーは表示されていません。',
};
