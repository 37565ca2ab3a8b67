/** One message: its actions, reactions, thread and quote, and the words that stand for it in one line. */
import type { Messages } from '..';
import { counting, list, number, others, replies } from './grammar';

export const message: Messages['message'] = {
  actions: 'メッセージの操作',
  moreActions: 'その他の操作',
  reactWith: (emoji) => `${emoji}でリアクション`,
  addReaction: 'リアクションを追加',
  reply: '返信',
  replyInThread: 'スレッドに返信',
  viewThread: 'スレッドを表示',
  edit: '編集',
  pin: 'ピン留め',
  unpin: 'ピン留めを解除',
  copyText: 'テキストをコピー',
  textCopied: 'テキストをコピーしました',
  copyCode: 'コードをコピー',
  codeCopied: 'コードをコピーしました',
  copyLink: 'リンクをコピー',
  linkCopied: 'リンクをコピーしました',
  markUnread: '未読にする',
  markRead: '既読にする',
  saveForLater: '後で見るために保存',
  unsave: '「後で」から外す',
  remindMe: 'リマインド',
  forward: '転送',
  forwarded: '転送されたメッセージ',
  forwardedFrom: '転送元:',
  elsewhere: '別の会話',
  filesOf: counting('#件のファイル'),
  noText: '本文のないメッセージ',
  undo: '送信を取り消す',
  undoHint: 'メッセージ欄に戻します。すでに他の人が見た可能性があります。',
  viewProfile: 'プロフィールを表示',
  editHistory: '編集履歴',
  deliveryDetails: '配信の詳細',
  report: '報告',
  delete: '削除',

  reminderMessage: 'メッセージを表示',
  reminderConversation: '会話を表示',

  saving: '(保存中…)',
  notSaved: (why) => `保存できませんでした。${why}`,

  writing: '作成中…',
  stop: '停止',
  stopping: '停止しています…',
  streamCancelled: '途中で停止されました。',
  streamFailed: '中断されました。内容が不完全な可能性があります。',

  inReplyTo: '返信先:',
  earlier: '以前のメッセージ',
  deleted: '削除されたメッセージ',
  fromBlocked: 'ブロックした人のメッセージ',

  reactions: 'リアクション',
  reaction: (emoji, count, names) => `${emoji} ${number(count)}: ${names}`,
  you: '自分',
  others,
  list,

  seen: '既読',
  seenByEveryone: '全員が既読',
  seenBy: (names) => `${names}が既読`,

  data: 'データ',
  dataOf: (type) => `${type}のデータ`,
  moreFields: counting('他#項目を表示'),
  dataCut: '以降の項目は表示されません。',

  previewOf: (title) => `リンクのプレビュー: ${title}`,
  removePreview: (title) => `${title}のプレビューを削除`,

  replies,
  newReplies: counting('新着#件'),
  lastReply: (when) => `最終返信: ${when}`,
};
