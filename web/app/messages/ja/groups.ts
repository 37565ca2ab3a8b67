import type { Messages } from '..';
import { number } from './grammar';

export const groups: Messages['groups'] = {
  about: 'グループに言及したメッセージは、その会話にいるグループのメンバーに通知されます。',
  list: 'グループ',
  none: 'グループはまだありません',
  noneHint: '@designのように複数の人に一度に言及するには、グループを作成してください。',
  create: '新しいグループ',
  make: 'グループを作成',
  rename: 'グループ名を変更',
  name: '名前',
  nameHint: '英小文字、数字、. _ -が使えます。この名前でグループに言及します。',
  members: (count) => `メンバー${number(count)}人`,
  noMembers: 'このグループにはまだメンバーがいません。',
  addMembers: 'メンバーを追加',
  addTo: (group) => `${group}にメンバーを追加`,
  remove: (name) => `${name}をグループから外す`,
  delete: 'グループを削除',
  deleteQuestion: (group) => `${group}を削除しますか?`,
  deleteText: 'メッセージは残りますが、この名前では誰にも通知されなくなります。',
  deleted: 'このグループは削除されました。',
  more: (count) => `他${number(count)}人`,
  notify: (group) => `${group}に通知しますか?`,
  notifyText: (count) => `最大${number(count)}人のメンバーに通知が届きます。`,
};
