/** Texts of the components that every screen uses. */
import type { Messages } from '..';

export const parts: Messages['parts'] = {
  cancel: 'キャンセル',
  save: '保存',
  tryAgain: '再試行',
  loading: '読み込んでいます…',
  loadMore: 'さらに読み込む',
  loadFailed: '読み込めませんでした。再試行するか、ページを再読み込みしてください。',
  back: '戻る',
  dismiss: '閉じる',
  bot: 'ボット',
};
