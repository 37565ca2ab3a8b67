/** Words on buttons and links of several folders: the same action has the same name everywhere. */
import type { Messages } from '..';

export const buttons: Messages['buttons'] = {
  cancel: 'キャンセル',
  close: '閉じる',
  closeHint: '閉じる (Esc)',
  copy: 'コピー',
  discard: '破棄',
  done: '完了',
  download: 'ダウンロード',
  loadMore: 'さらに読み込む',
  remove: '削除',
  retry: '再試行',
  save: '保存',
  show: '表示',
  tryAgain: '再試行',
};
