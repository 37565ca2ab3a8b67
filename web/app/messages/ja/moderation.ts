/** Reports of messages, and bans. */
import type { Messages } from '..';

export const moderation: Messages['moderation'] = {
  reports: '報告',
  filter: '報告を絞り込む',
  states: { open: '未対応', resolved: '対応済み', all: 'すべて' },
  none: { open: '未対応の報告はありません', resolved: '対応済みの報告はありません', all: '報告はありません' },
  noneText: '報告されたメッセージが前後の文脈とともにここに表示されます。',

  reportBy: (name) => `${name}さんからの報告`,
  reportedBy: (name, conversation) => `${name}さんが${conversation}で報告`,
  elsewhere: '参加していない会話',
  you: '自分',
  showContext: '前後を表示',
  hideContext: '前後を隠す',
  context: '前後のメッセージ',
  contextForMembers: '前後のメッセージは会話のメンバーだけが見られます。',
  deletedMessage: '削除されたメッセージ',
  viewMessage: 'メッセージを表示',
  note: '他の管理者へのメモ',
  noteHint: '他の管理者へのメモ (任意)',
  dismiss: '却下',
  banAuthor: '投稿者を追放…',
  deleteMessage: 'メッセージを削除',
  messageDeleted: 'メッセージを削除しました',
  resolve: '対応済みにする',
  resolvedBy: (name) => `${name}さんが対応`,
  dismissedBy: (name) => `${name}さんが却下`,

  reportQuestion: 'このメッセージを報告しますか?',
  reportText: 'オーナーと管理者に、メッセージ、あなたの名前、理由が表示されます。投稿者には通知されません。',
  report: '報告',
  reported: '報告しました。オーナーと管理者が確認します。',
  reason: '理由',
  reasons: ['スパムまたは広告', '侮辱または脅迫', '他人の個人情報', 'その他'],
  details: '詳細 (任意)',

  banQuestion: (name, conversation) =>
    conversation ? `${name}さんを${conversation}から追放しますか?` : `${name}さんを追放しますか?`,
  banText: '削除され、オーナーか管理者が追放を解除するまで、リンクを使っても再び参加できません。',
  banPublic: 'このチャンネルは公開されているため、読むことはできます。読めないようにするには非公開にしてください。',
  ban: '追放',
  banReason: '理由 (任意)',
  banReasonHint: 'オーナーと管理者だけに表示されます',
  banned: (name) => `${name}さんを追放しました`,
};
