/** Texts of a conversation in a frame of another page. */
import type { Messages } from '..';

export const embed: Messages['embed'] = {
  loggedOut: 'ログインしていません',
  loggedOutHint: 'ページを再読み込みするか、この会話を新しいタブで開いてください。',
  refused: 'このページからログインできませんでした',
  refusedHint: 'アクセスの期限が切れたか、取り消されました。ページを再読み込みしてください。',
  cookieBlocked: 'ブラウザーがここでCookieをブロックしています',
  cookieBlockedHint: '代わりに、この会話を新しいタブで開いてください。',
  openInTab: '新しいタブで開く',
  openConversation: 'この会話を新しいタブで開く',
  notFound: 'この会話は表示できません',
  notFoundHint: '存在しないか、メンバーではありません。',
  archived: 'この会話はアーカイブされています',
  archivedHint: 'ここではもう読めません。',
  notJoined: 'このチャンネルに参加していません',
  notJoinedHint: 'メッセージを読み書きするには参加してください。',
  join: 'チャンネルに参加',
};
