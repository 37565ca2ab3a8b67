import type { Messages } from '..';
import { plural } from './grammar';

const members = (count: number) => plural(count, { one: '# miembro', other: '# miembros' });

export const groups: Messages['groups'] = {
  about: 'Un mensaje que menciona un grupo avisa a sus miembros en esa conversación.',
  list: 'Grupos',
  none: 'Aún no hay grupos',
  noneHint: 'Crea uno para mencionar a varias personas a la vez, como @design.',
  create: 'Nuevo grupo',
  make: 'Crear grupo',
  rename: 'Cambiar el nombre del grupo',
  name: 'Nombre',
  nameHint: 'Minúsculas, números, . _ -. Con él se menciona el grupo.',
  members,
  noMembers: 'Este grupo aún no tiene miembros.',
  addMembers: 'Añadir miembros',
  addTo: (group: string) => `Añadir miembros a ${group}`,
  remove: (name: string) => `Quitar a ${name} del grupo`,
  delete: 'Eliminar grupo',
  deleteQuestion: (group: string) => `¿Eliminar ${group}?`,
  deleteText: 'Los mensajes se quedan, pero el nombre ya no avisa a nadie.',
  deleted: 'Este grupo se ha eliminado.',
  more: (count: number) => plural(count, { other: 'y # más' }),
  notify: (group: string) => `¿Avisar a ${group}?`,
  notifyText: (count: number) => plural(count, { one: 'Hasta # miembro recibirá una notificación.', other: 'Hasta # miembros recibirán una notificación.' }),
};
