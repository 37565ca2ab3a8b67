/** Texts of the page that a password reset link opens. */
import type { Messages } from '..';

export const reset: Messages['reset'] = {
  documentTitle: '新しいパスワードの設定 · Tandem',
  title: '新しいパスワードの設定',
  newPassword: '新しいパスワード',
  newPasswordHint: '10文字以上にしてください。すべてのデバイスからログアウトされます。',
  showPassword: 'パスワードを表示',
  changePassword: 'パスワードを変更',
  changed: 'パスワードを変更しました',
  changedHint: 'すべてのデバイスからログアウトしました。新しいパスワードでログインしてください。',
  logIn: 'ログイン',
  goToLogIn: 'ログインへ',
  linkIncomplete: 'このリンクは不完全です',
  linkIncompleteHint: 'リンク全体をコピーするか、管理者に新しいリンクを依頼してください。',
  linkInvalid: 'このリンクはもう使えません',
  linkInvalidHint: '再設定リンクは24時間以内に1回だけ使えます。管理者に新しいリンクを依頼してください。',
};
