/** The message field, its suggestions, and the notices that take its place. */
import type { Messages } from '..';
import { counting, list } from './grammar';

const listed = (names: string[]) =>
  names.length > 3 ? `${list(names.slice(0, 3).map((name) => `${name}さん`))}など` : list(names.map((name) => `${name}さん`));
const KINDS: Record<string, string> = { channel: 'このチャンネル', group: 'このグループ' };

export const composer: Messages['composer'] = {
  message: 'メッセージ',
  messageTo: (name) => `${name}へのメッセージ`,
  replyInThread: 'スレッドに返信',
  replyHint: 'このスレッドに返信',
  preview: 'プレビュー',
  insertEmoji: '絵文字を挿入',
  formatting: '書式',
  format: {
    bold: '太字',
    italic: '斜体',
    strike: '取り消し線',
    code: 'コード',
    bullets: '箇条書き',
    numbers: '番号付きリスト',
    quote: '引用',
    block: 'コードブロック',
  },
  send: '送信',
  sendLater: '後で送信',
  sendTimes: { soon: '20分後', tomorrow: '明日', monday: '月曜日', own: '日時を選択…' },
  sendTime: (name, time) => `${name}の${time}`,
  scheduledFor: (when) => `${when}の送信を予約しました。`,
  charactersLeft: counting('残り#文字'),
  charactersOver: counting('#文字超過'),

  suggestions: '候補',
  suggestionCount: counting('#件の候補'),
  everyoneHere: 'この会話のオンラインの全員',
  everyone: 'この会話の全員',

  commandAnswer: 'コマンドへの応答',
  onlyYou: '自分だけに表示されます',
  commandFiles: 'コマンドにファイルは付けられません。先にファイルを外してください。',

  archived: (kind) => `${KINDS[kind] ?? 'この会話'}はアーカイブされています。`,
  restore: '復元',
  readOnly: 'ここに投稿できるのはオーナーと管理者だけです。',
  slowMode: (interval) => `低速モード: メッセージは${interval}に1件まで`,

  editMessage: 'メッセージを編集',
  editing: '編集中',
  notNotified: (names) => `編集しても${listed(names)}には通知されません。代わりに新しいメッセージを送ってください。`,
  notMentioned: (names) => `保存すると${listed(names)}へのメンションが外れます。`,
  replyingTo: (name) => `${name}さんに返信`,
  cancelReply: '返信をキャンセル',
  cancelHint: 'キャンセル (Esc)',
};
