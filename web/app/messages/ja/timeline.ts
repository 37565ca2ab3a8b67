/** The messages of a conversation: its beginning, its separators, and the state of each message. */
import type { Messages } from '..';
import { counting, list, number } from './grammar';

const named = (names: string[]) => list(names.map((name) => `${name}さん`));
const listed = (names: string[], more: number) => (more ? `${named(names)}、他${number(more)}人` : named(names));

export const timeline: Messages['timeline'] = {
  messagesIn: (conversation) => `${conversation}のメッセージ`,
  beginningOf: (channel) => `ここが${channel}の始まりです。`,
  onlyYouAnd: (names) => `このメッセージを読めるのは、あなたと${names}だけです。`,
  notesToYourself: '自分用のメモです。自分だけが読めます。',

  addPeople: 'メンバーを追加',
  describe: '説明を追加',
  invite: 'リンクで招待',

  joined: (names, more) => `${listed(names, more)}が参加しました`,
  left: (names, more) => `${listed(names, more)}が退出しました`,
  renamed: (name) => `名前が${name}に変わりました`,

  new: '新着',
  newMessages: counting('新着メッセージ#件'),
  markedUnread: '未読にしました',
  newMessagesBelow: '新着メッセージ',
  jumpToNewest: '最新に移動',
  jumpToUnread: '最初の未読に移動',
  clearUnread: '未読の印を消す',

  notLoaded: (why) => `メッセージを読み込めませんでした。${why}`,
  unavailable: 'そのメッセージは表示できません。',

  deleted: 'このメッセージは削除されました。',
  fromBlocked: 'ブロックした人のメッセージです。',
  edited: '(編集済み)',
  editedAt: (when) => `編集: ${when}`,
  pinned: 'ピン留め',
  saved: '保存済み',
  messageBy: (author, time) => `${author}、${time}`,
  announced: (author, text) => `${author}: ${text}`,

  showMore: 'もっと見る',
  showLess: '表示を減らす',

  waiting: '送信待ち',
  sending: '送信中…',
  notSent: (why) => `送信できませんでした。${why}`,

  authors: (names) => (names.length > 2 ? `${named(names.slice(0, 2))}など` : named(names)),
  repliedInThread: (authors, replies) =>
    replies === 1 ? 'がスレッドに返信:' : `がスレッドに${authors === 1 ? '' : '計'}${number(replies)}件返信:`,
};
