/** Texts about notifications: the request for permission, the levels of a conversation, and muting. */
import type { Messages } from '..';

export const notify: Messages['notify'] = {
  title: '通知',
  ask: '離席中にメッセージがありました。通知をオンにしますか?',
  turnOn: 'オンにする',
  notNow: '後で',
  notifyAbout: '通知する内容',
  levels: {
    all: 'すべてのメッセージ',
    mentions: 'メンションのみ',
    nothing: 'なし',
  },
  default: (level) => `自分の既定 (${level})`,
  defaults: {
    all: 'すべてのメッセージ',
    mentions: 'メンション、キーワード、ダイレクトメッセージ',
    nothing: 'なし',
  },
  levelHints: {
    all: '新着メッセージをすべて未読として数えます',
    mentions: '自分へのメンションかキーワードを含むメッセージだけ',
    nothing: '未読数も通知も表示しません',
  },
  mute: 'ミュート',
  muteFor: 'ミュートする期間',
  mutes: {
    hour: '1時間',
    tomorrow: '明日まで',
    week: '1週間',
    forever: '解除するまで',
  },
  mutedUntil: (moment) => `${moment}までミュート中`,
  muted: '解除するまでミュート中',
  unmute: 'ミュートを解除',
  forwarded: '転送されたメッセージ',
  inChannel: (author, channel) => `#${channel}の${author}さん`,
};
