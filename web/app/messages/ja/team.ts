/** ダッシュボードに表示するチームの数値。 */
import type { Messages } from '..';
import { number } from './grammar';

export const team: Messages['team'] = {
  title: 'チーム',
  counting: '集計しています…',
  countedAt: (time) => `${time}に集計`,

  members: {
    title: 'アクティブなメンバー',
    day: '過去24時間',
    week: '過去7日間',
    month: '過去30日間',
    people: 'アカウント',
    external: 'アプリケーション経由',
    bots: 'ボット',
    disabled: '無効',
  },

  messages: {
    title: 'メッセージ',
    total: '全メッセージ',
    month: '過去30日間',
    today: '今日',
    about: (count) => `約${count}`,
    perDay: '1日あたりのメッセージ',
    inUtc: '日付はUTCです。',
    spoken: (day, most, today) => `最多は${day}の${most}件です。今日: ${today}件。`,
    channels: '最もアクティブなチャンネル',
    otherChannels: (count) => `他の公開チャンネル${number(count)}件`,
    private: '非公開チャンネル、グループ、ダイレクトメッセージ',
    none: '過去30日間のメッセージはありません。',
  },

  storage: {
    title: 'ストレージ',
    bytes: 'ファイルの容量',
    files: 'ファイル',
    database: 'データベース',
    byKind: '種類別のファイル',
    kinds: {
      image: '画像',
      video: '動画',
      audio: '音声',
      document: '文書',
      archive: 'アーカイブ',
      import: 'インポート用ファイル',
      other: 'その他のファイル',
    },
    kindSize: (files, size) => `${size} · ${number(files)}件`,
    none: 'ファイルはまだありません。',
  },

  notifications: {
    title: '送信した通知',
    kind: '種類',
    day: '過去24時間',
    week: '過去7日間',
    failed: '7日間の失敗',
    push: 'プッシュ',
    email: 'メール',
    since: (moment) => `${moment}から集計しています。`,
    notCounted: 'まだ集計されていません。',
    devices: (count) => `${number(count)}台のデバイスに通知できます。`,
    mailsOff: 'このサーバーではメール通知がオフです。',
  },

  hooks: {
    title: '連携',
    kind: '種類',
    incoming: '受信フック',
    outgoing: '送信フック',
    command: 'スラッシュコマンド',
    running: '正常',
    failing: '失敗中',
    disabled: 'オフ',
    all: 'すべての連携を表示',
  },
};
