/** The emoji picker. */
import type { Messages } from '..';

export const emoji: Messages['emoji'] = {
  title: '絵文字',
  find: '絵文字を探す',
  skinTone: '肌の色',
  recent: '最近使用',
  found: '検索結果',
  nothing: '絵文字が見つかりません。',
  searching: '検索しています…',
  notLoaded: '絵文字を読み込めませんでした。',
  groups: ['顔と感情', '人', '', '動物と自然', '食べ物と飲み物', '旅行と場所', 'アクティビティ', '物', '記号', '旗'],
};
