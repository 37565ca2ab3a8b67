/** The panels beside a conversation: its pinned messages, and a thread. */
import type { Messages } from '..';
import { replies } from './grammar';

export const aside: Messages['aside'] = {
  close: (panel) => `${panel}を閉じる`,

  pins: 'ピン留めしたメッセージ',
  noPins: 'ピン留めしたメッセージはありません。全員がまた見るものをピン留めしましょう。',
  pinnedBy: (name) => `${name}がピン留め`,
  you: '自分',
  unpin: 'ピン留めを解除',

  thread: 'スレッド',
  thisThread: 'このスレッド',
  follow: 'フォロー',
  following: 'フォロー中',
  followHint: '新しい返信の通知を受け取る',
  followingHint: '新しい返信の通知を受け取っています',
  replies: '返信',
  replyCount: replies,
  noReplies: '返信はまだありません',
  loadEarlier: '以前の返信を読み込む',
};
