/** The pages for what waits for the user: activity, followed threads, and messages saved for later. */
import type { Messages } from '..';
import { list, number } from './grammar';

export const triage: Messages['triage'] = {
  activity: 'アクティビティ',
  filter: '表示',
  kinds: { all: 'すべて', mentions: 'メンション', replies: '返信', reactions: 'リアクション' },
  none: {
    all: 'アクティビティはまだありません',
    mentions: 'メンションはまだありません',
    replies: '返信はまだありません',
    reactions: 'リアクションはまだありません',
  },
  noneText: {
    all: 'メンション、フォロー中のスレッドへの返信、自分のメッセージへのリアクションがここに表示されます。',
    mentions: '自分や会話の全員へのメンションがここに表示されます。',
    replies: 'フォロー中のスレッドへの返信がここに表示されます。',
    reactions: '自分のメッセージへのリアクションがここに表示されます。',
  },
  unread: '未読',
  mentioned: 'があなたにメンション',
  mentionedAll: (name) => `が@${name}にメンション`,
  replied: 'がスレッドに返信',
  reacted: (emoji) => `が${emoji}でリアクション`,
  names: (names, others) => (others ? `${list(names)}、他${number(others)}人` : list(names)),

  threads: 'スレッド',
  noThreads: 'スレッドはまだありません',
  noThreadsText: 'スレッドに返信するか返信を受けると、そのスレッドをフォローします。',
  chooseThread: 'ここで読むスレッドを選んでください。',
  thread: 'スレッド',
  threadIn: (conversation) => `${conversation}のスレッド`,
  threadGone: 'このスレッドは表示できません。',

  later: '後で',
  states: { open: '未完了', done: '完了' },
  noneSaved: { open: '後で見るものはありません', done: '完了したものはまだありません' },
  noneSavedText: {
    open: 'メッセージのメニューから、またはメッセージ上でAを押して保存します。保存したものは自分だけに表示されます。',
    done: '完了にした保存済みメッセージがここに表示されます。',
  },
  markDone: '完了にする',
  reopen: '未完了に戻す',
  remindTimes: {
    soon: '20分後',
    hour: '1時間後',
    later: '3時間後',
    tomorrow: '明日',
    week: '来週',
  },
  remindAt: '別の日時',
  setReminder: 'リマインダーを設定',
  willRemind: (when) => `${when}にリマインドします。`,

  deleted: '削除されたメッセージ',
  blocked: 'ブロックした人のメッセージ',
  elsewhere: '別の会話',
};
