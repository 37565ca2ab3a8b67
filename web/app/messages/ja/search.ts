/** Searching messages. */
import type { Messages } from '..';
import { number } from './grammar';

export const search: Messages['search'] = {
  title: '検索',
  everywhere: 'すべてを検索',
  here: 'ここを検索',
  in: (conversation) => `${conversation}を検索`,
  notOnlyIn: (conversation) => `${conversation}だけでなく、すべてを検索`,
  thisConversation: 'この会話',
  clear: '消去',

  searching: '検索しています…',
  results: '検索結果',
  found: (count, more) => `${number(count)}件${more ? '以上' : ''}のメッセージが見つかりました`,
  nothing: 'メッセージが見つかりません',
  nothingEverywhere: '言葉を減らすか変えて、または言葉の先頭だけで試してください。',
  nothingIn: (conversation) => `${conversation}に一致するメッセージはありません。`,
  inThread: 'スレッド内',
  elsewhere: 'アーカイブ済み、または参加していないチャンネル',

  recentSearches: '最近の検索',
  recent: '最近',
  howTo: '言葉は順不同で検索できます。入力した言葉で始まる長い言葉も見つかります。単語や語句の完全一致には"引用符"を使ってください。',
  examples: ['from:ana', 'in:general', 'before:2026-01-31', 'after:2026-01-01', 'on:2026-01-15', 'has:link'],
  daysIn: (zone) => `1日は、あなたのタイムゾーン (${zone}) の午前0時に始まります。`,
  addFilter: 'フィルターを追加',

  filters: 'フィルター',
  from: '特定のユーザーのメッセージ',
  inFilter: '特定の会話',
  before: '特定の日より前',
  after: '特定の日以降',
  on: '特定の日',
  hasLink: 'リンクを含む',
  hasFile: 'ファイルか画像を含む',
  kinds: { channel: 'チャンネル', group: 'グループ', direct: 'ダイレクトメッセージ' },
  days: {
    today: '今日',
    yesterday: '昨日',
    weekAgo: '1週間前',
    monthAgo: '1か月前',
    yearAgo: '1年前',
  },
};
