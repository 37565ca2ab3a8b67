/** The edit history of a message, and its delivery to a user. */
import type { Messages } from '..';
import { number } from './grammar';

export const evidence: Messages['evidence'] = {
  deliveryDetails: '配信の詳細',
  deliveryTo: (name) => `${name}さんへの配信`,
  findPeople: '人を探す',
  people: '人',
  noMatch: 'その名前の人はいません。',
  noOthers: 'この会話には他に誰もいません。',
  loading: '配信の詳細を読み込んでいます…',
  anotherUser: '別のユーザーを選ぶ',
  refresh: '更新',
  recorded: 'この操作は操作ログに記録されます。',

  steps: '配信の経過',
  stored: 'ディスクに書き込み',
  storedHint: (position, node) => `ログ位置${position}${node && `、ノード${node}`}`,
  session: (session, node) => `セッション${session}、ノード${node}`,
  connected: 'デバイスが接続',
  sent: 'デバイスに送信',
  replayed: '再接続時にデバイスに送信',
  disconnected: (why) => `デバイスが切断: ${why}`,
  ends: {
    drain: 'サーバーの再起動',
    age: '接続の更新時期',
    slow: '読み取りが遅すぎたため',
    revoked: 'セッションの終了',
    expired: 'セッションの期限切れ',
    epoch: 'データベースの復元',
  },
  closedByDevice: 'デバイスから切断',
  readBy: (name) => `${name}さんが既読`,
  notMember: (name) => `送信時、${name}さんはメンバーではありませんでした`,
  disabled: (name) => `${name}さんのアカウントは無効です`,
  deleted: 'メッセージは削除されました',
  unread: (name) => `${name}さんはまだ読んでいません`,
  unreadHint: 'メッセージはデバイスに送信されました。',
  notReached: 'このメッセージを受け取った接続中のデバイスはありません',
  noDevice: (name) => `その後、${name}さんのデバイスは接続していません`,
  willArrive: '保存されており、デバイスが接続すると配信されます。',
  openStreams: (count, name) =>
    count
      ? `現在: ${name}さんの開いているストリームは${number(count)}本`
      : `現在: ${name}さんの開いているストリームはありません`,

  verdicts: {
    author: (name) => `${name}さんが書きました。`,
    read: (name) => `${name}さんは読みました。`,
    receivedAndRead: (name) => `${name}さんは受け取り、読みました。`,
    received: (name) => `${name}さんは受け取りましたが、まだ読んでいません。`,
    receivedLater: (name) => `${name}さんは再接続後に受け取りましたが、まだ読んでいません。`,
    notReceived: (name) => `${name}さんは受け取っていません。その後の接続は、届く前にすべて終了しました。`,
    noDevice: (name) => `${name}さんは受け取っていません。送信後、どのデバイスも接続していません。`,
    excluded: (name, why) => `${name}さんには届きません。${why}`,
  },

  devices: '現在接続中のデバイス',
  unnamedDevice: '名前のないデバイス',
  deviceStreams: (session, streams, active) =>
    `${session}: メッセージストリーム${number(streams)}本${active ? '、使用中' : ''}`,

  editHistory: '編集履歴',
  versions: 'バージョン',
  edits: '編集',
  noVersions: '以前のバージョンは保存されていません。',
  you: '自分',
  edited: '編集',
  deletedIt: '削除',
};
