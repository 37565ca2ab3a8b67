import type { Messages } from '..';
import { number, plural } from './grammar';

/** The server counts so many members at most. */
const COUNTED_MOST = 50_000;
const members = (count: number) =>
  count > COUNTED_MOST ? `${number(COUNTED_MOST)}+ miembros` : plural(count, { one: '# miembro', other: '# miembros' });

export const conversation: Messages['conversation'] = {
  none: 'Aún no hay conversaciones',
  noneHint: 'Únete a un canal o envía un mensaje directo.',
  browseChannels: 'Explorar canales',
  newMessage: 'Mensaje nuevo',
  invitePeople: 'Invitar a personas',
  all: 'Todas las conversaciones',
  allUnread: (count: number) => `Todas las conversaciones, ${count} sin leer`,
  details: 'Detalles',
  search: 'Buscar',
  members: 'Miembros',
  counts: (all: number, online: number) => `${members(all)} · ${number(online)} en línea`,
  pinned: 'Mensajes fijados',
  menu: 'Menú de la conversación',
  notifications: 'Notificaciones',
  addPeople: 'Añadir personas',
  leaveChannel: 'Salir del canal',
  leaveGroup: 'Salir del grupo',
  membersIn: (group: string, count: number) => `${group}, ${count}`,
  activeAgo: (ago: string) => `Activo ${ago}`,
  onDevices: (count: number) => `En ${count} dispositivos`,
  you: 'tú',
  moreMembers: 'No se muestran todos los miembros.',
};
