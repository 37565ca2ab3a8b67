/** Texts of second factors: confirming a change, recovery codes, and the notice for admins. */
import type { Messages } from '..';

export const security: Messages['security'] = {
  code: '認証アプリのコード',
  confirmTitle: '本人確認',
  confirmHint: 'この変更には確認が必要です。今後10分間は再び求められません。',
  password: 'パスワード',
  usePassword: 'パスワードを使う',
  useCode: 'コードを使う',
  usePasskey: 'パスキーを使う',
  confirm: '確認',
  confirmWith: (name) => `${name}で確認`,
  stepRequired: '2段階認証が必要です',
  stepRequiredHint: '第2要素を追加するまで、管理者権限は使えません。',
  setUp: '設定する',
  saveCodes: 'リカバリーコードを保存してください',
  saveCodesHint: 'デバイスを紛失した場合、コード1つにつき1回ログインできます。再び表示されることはありません。',
  recoveryCodes: 'リカバリーコード',
  codesFile: (host, codes) => `${host}のTandemリカバリーコード\n\n${codes.join('\n')}\n`,
  copy: 'コピー',
  codesCopied: 'リカバリーコードをコピーしました',
  download: 'ダウンロード',
  codesSaved: '保存しました',
};
