/** Files: attaching and uploading them, pictures, and the picture of an account. */
import type { Messages } from '..';
import { counting, number } from './grammar';

export const files: Messages['files'] = {
  attach: 'ファイルを添付',
  dropTo: (place) => `ドロップして${place}に添付`,
  tooMany: counting('メッセージに添付できるファイルは#個までです。残りは別のメッセージで送ってください。'),

  addPicture: '写真を追加',
  changePicture: '写真を変更',
  savingPicture: '保存しています…',
  pictureHint: '全員に表示されます。正方形に切り抜かれます。',

  file: 'ファイル',
  unnamed: 'ファイル',
  pictures: counting('#枚の画像'),
  files: counting('#個のファイル'),
  download: (name) => `${name}をダウンロード`,
  downloadSized: (name, size) => `${name}をダウンロード、${size}`,

  attached: '添付ファイル',
  remove: (name) => `${name}を外す`,
  cancel: (name) => `${name}をキャンセル`,
  retry: (name) => `${name}を再試行`,

  picture: (name) => `画像 ${name}`,
  openPicture: (name) => `画像 ${name} を開く`,
  position: (at, count) => `${number(at)} / ${number(count)}`,
  downloadOriginal: '元のファイルをダウンロード',
  previous: '前の画像',
  previousHint: '前へ (←)',
  next: '次の画像',
  nextHint: '次へ (→)',

  toSend: '送信するファイル',
  someFailed: '一部のファイルをアップロードできませんでした。再試行するか外してください。',
  sendsLater: 'アップロードが終わると送信されます。',
  dontSend: 'まだ送信しない',
  uploaded: (done, count) => `${number(count)}個中${number(done)}個をアップロード済み`,
  uploading: (name) => `${name}をアップロード中`,
  failed: 'このファイルをアップロードできませんでした。',
  preparing: '準備しています…',
  waitingForConnection: '接続を待っています…',
  waiting: '待機中…',
  resuming: '再開しています…',
  progress: (percent, size) => `${size}の${number(percent)}%`,
};
