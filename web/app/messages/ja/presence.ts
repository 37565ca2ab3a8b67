/** Texts about presence: statuses, when a user was last active, who is typing, and the form that sets a status. */
import type { Messages } from '..';
import { counting, number } from './grammar';

export const presence: Messages['presence'] = {
  statuses: {
    online: 'オンライン',
    away: '離席中',
    dnd: '取り込み中',
    offline: 'オフライン',
    invisible: '非表示',
    unknown: '不明',
  },
  justNow: 'たった今',
  minutesAgo: counting('#分前'),
  hoursAgo: counting('#時間前'),
  yesterday: '昨日',
  daysAgo: counting('#日前'),
  onDay: (day) => day,
  lastActive: (status, ago) => `${status}、最終アクティブ: ${ago}`,
  typing: {
    one: (name) => `${name}さんが入力中…`,
    two: (first, second) => `${first}さんと${second}さんが入力中…`,
    more: (first, second, others) => `${first}さん、${second}さん、他${number(others)}人が入力中…`,
  },
  degraded: 'オンライン状況が最新でない可能性があります。',
  unavailable: '現在、オンライン状況を確認できません。',
  form: {
    title: 'ステータス',
    emoji: '絵文字',
    message: 'ステータスメッセージ',
    messageHint: '何をしていますか?',
    suggestions: '候補',
    focusing: '集中しています',
    meeting: '会議中',
    lunch: '昼食中',
    commuting: '移動中',
    sick: '病欠',
    vacation: '休暇中',
    appearAs: '表示する状態',
    clearAfter: '消去するまでの時間',
    othersSee: '他の人からの表示:',
    clear: 'ステータスを消去',
    saved: 'ステータスを保存しました',
  },
  clearAfter: {
    open: '消去しない',
    half: '30分',
    hour: '1時間',
    four: '4時間',
    today: '今日',
    week: '今週',
  },
};
