import type { Messages } from '..';
import { counting, part } from './grammar';

const members = counting('لا أعضاء', 'عضو واحد', 'عضوان', '# أعضاء', '# عضوًا', '# عضو');
const more = counting('ولا أحد غيرهم', 'وشخص آخر', 'وشخصان آخران', 'و# آخرون', 'و# آخرون', 'و# آخرون');
const notified = counting(
  'لن يتلقى أحد إشعارًا.',
  'سيتلقى عضو واحد على الأكثر إشعارًا.',
  'سيتلقى عضوان على الأكثر إشعارًا.',
  'سيتلقى # أعضاء على الأكثر إشعارًا.',
  'سيتلقى # عضوًا على الأكثر إشعارًا.',
  'سيتلقى # عضو على الأكثر إشعارًا.',
);

export const groups: Messages['groups'] = {
  about: 'الرسالة التي تذكر مجموعة ترسل إشعارًا إلى أعضائها في تلك المحادثة.',
  list: 'المجموعات',
  none: 'لا توجد مجموعات بعد',
  noneHint: 'أنشئ مجموعة لذكر عدة أشخاص معًا، مثل @design.',
  create: 'مجموعة جديدة',
  make: 'إنشاء المجموعة',
  rename: 'إعادة تسمية المجموعة',
  name: 'الاسم',
  nameHint: 'أحرف لاتينية صغيرة وأرقام و. _ -. تُذكر المجموعة بهذا الاسم.',
  members,
  noMembers: 'لا أعضاء في هذه المجموعة بعد.',
  addMembers: 'إضافة أعضاء',
  addTo: (group) => `إضافة أعضاء إلى ${part(group)}`,
  remove: (name) => `إزالة ${part(name)} من المجموعة`,
  delete: 'حذف المجموعة',
  deleteQuestion: (group) => `حذف ${part(group)}؟`,
  deleteText: 'تبقى الرسائل، لكن الاسم لن يرسل إشعارًا إلى أحد بعد الآن.',
  deleted: 'حُذفت هذه المجموعة.',
  more,
  notify: (group) => `إشعار ${part(group)}؟`,
  notifyText: notified,
};
