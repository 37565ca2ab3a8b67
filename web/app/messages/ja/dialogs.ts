/** Dialogs: new conversations, people, profiles, and questions before an action. */
import type { Messages } from '..';
import { counting, list, number } from './grammar';

export const dialogs: Messages['dialogs'] = {
  forward: 'メッセージを転送',
  forwardHint: '転送先の全員に本文が表示されます。投稿者と元の会話は、元のメッセージを読める人だけに表示されます。',
  findConversations: '会話を探す',
  conversations: '会話',
  noConversation: 'その名前の会話はありません。',
  comment: 'コメント (任意)',
  forwardTo: (count) => (count > 1 ? `${number(count)}件の会話に転送` : '転送'),
  forwardedTo: (names) => `${names.length > 3 ? `${list(names.slice(0, 3))}など` : list(names)}に転送しました。`,

  notLoaded: '読み込めませんでした。再試行するか、ページを再読み込みしてください。',

  addPeople: 'メンバーを追加',
  addPeopleTo: (conversation) => `${conversation}にメンバーを追加`,
  add: (count) => (count > 1 ? `${number(count)}人を追加` : '追加'),
  mustAccept: (name) => `先に${name}さんが招待を承認する必要があります。`,
  severalMustAccept: counting('先に#人が招待を承認する必要があります。'),

  findPeople: '人を探す',
  findPeopleByName: '名前で人を探す',
  people: '人',
  selected: '選択済み',
  removeName: (name) => `${name}さんを外す`,
  noMatch: 'その名前の人はいません。',
  onlyYou: '今のところ、ここにいるのはあなただけです。',
  invitePeople: 'メンバーを招待',
  allAdded: '全員がすでにこの会話に参加しています。',
  searching: '検索しています…',

  newMessage: '新しいメッセージ',
  startConversation: '会話を始める',
  startGroup: 'グループを始める',
  groupName: 'グループの名前 (任意)',
  groupNameHint: '名前がない場合は、メンバーの名前が表示されます。',

  createAChannel: 'チャンネルを作成',
  createChannel: 'チャンネルを作成',
  name: '名前',
  nameHint: '例: design、release-notes',
  topic: 'トピック (任意)',
  private: '非公開',
  privateHint: '追加された人だけが見つけて読むことができます。',

  notifyAll: (conversation) => `${conversation}の全員に通知しますか?`,
  notifyHere: (conversation) => `${conversation}のオンラインの全員に通知しますか?`,
  notifyText: (others, online) => {
    if (others === undefined) return '各メンバーに通知が届きます。';
    return online
      ? `他に${number(others)}人のメンバーがいます。オンラインの人に通知が届きます。`
      : `${number(others)}人に通知が届きます。`;
  },
  notify: '通知して送信',

  leave: '退出',
  leaveQuestion: (conversation) => `${conversation}から退出しますか?`,
  leaveClosed: 'メンバーに再び追加されるまで、戻ることはできません。',
  leaveOpen: 'チャンネルの一覧から再び参加できます。',

  newSection: '新しいセクション',
  renameSection: 'セクションの名前を変更',
  sectionName: '名前',
  sectionHint: '例: プロジェクト。自分だけに表示されます。',
  createSection: 'セクションを作成',

  markAllRead: 'すべて既読にする',
  markAllReadQuestion: counting('#件の会話を既読にしますか?'),
  markAllReadText: 'すべてのデバイスで、メンションの表示も消えます。',

  logOutAlso: (name) => `${name}からもログアウトする`,
  logOut: 'ログアウト',
  logOutQuestion: 'ログアウトしますか?',
  logOutText: (messages, drafts) => {
    const unsent = [messages && `未送信のメッセージが${number(messages)}件`, drafts && `下書きが${number(drafts)}件`].filter(Boolean);
    if (!unsent.length) return 'このデバイスに未送信のものはありません。';
    return `このデバイスに${unsent.join('、')}あります。ログアウトすると削除されます。`;
  },

  deleteAccount: 'アカウントを削除',
  deleteAccountQuestion: 'アカウントを削除しますか?',
  deleteAccountLogin: 'すべてのデバイスからログアウトされ、再びログインすることはできません。',
  deleteAccountProfile: '名前は「削除されたユーザー」になります。プロフィール、写真、設定、未送信のファイルは削除されます。',
  deleteAccountLeave: 'すべてのチャンネルとグループから退出します。別の管理者がオーナーになります。',
  yourMessages: 'あなたのメッセージ',
  keepMessages: '残す',
  keepMessagesHint: '他の人は「削除されたユーザー」のメッセージとして読むことができます。',
  deleteMessages: '削除する',
  deleteMessagesHint: '代わりに「メッセージは削除されました」と表示されます。',
  typeToConfirm: (name) => `確認のため「${name}」と入力してください`,

  delete: '削除',
  deleteMessageQuestion: 'このメッセージを削除しますか?',
  deleteMessageText: '全員の画面から削除されます。「メッセージは削除されました」という表示は残ります。',
  deletedMessage: '削除されたメッセージ',
  messageFrom: (name) => `${name}さんのメッセージ`,

  notifications: '通知',
  notificationsFor: (conversation) => `${conversation}の通知`,
  setStatus: 'ステータスを設定',

  profile: 'プロフィール',
  accountDisabled: 'このアカウントは無効です。メッセージを送っても読まれません。',
  ownedBy: '所有者:',
  editProfile: 'プロフィールを編集',
  admin: '管理者',
  localTime: (time, zone) => `現地時間 ${time} (${zone})`,
  message: 'メッセージ',
  block: 'ブロック',
  blockName: (name) => `${name}さんをブロック`,
  blockText: '互いにメッセージを送れなくなり、相手のメッセージは非表示になります。相手には通知されません。',
  unblock: 'ブロックを解除',
};
