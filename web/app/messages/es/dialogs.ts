import type { Messages } from '..';
import { list, plural } from './grammar';

export const dialogs: Messages['dialogs'] = {
  forward: 'Reenviar mensaje',
  forwardHint: 'Todos allí ven el texto. Solo quienes pueden leer el original ven también su autor y su conversación.',
  findConversations: 'Buscar conversaciones',
  conversations: 'Conversaciones',
  noConversation: 'Ninguna conversación con ese nombre.',
  comment: 'Comentario (opcional)',
  forwardTo: (count: number) => (count > 1 ? plural(count, { other: 'Reenviar a # conversaciones' }) : 'Reenviar'),
  forwardedTo: (names: string[]) => `Reenviado a ${list(names.length > 3 ? [...names.slice(0, 3), 'otras'] : names)}.`,

  notLoaded: 'No se pudo cargar. Inténtalo de nuevo o recarga la página.',

  addPeople: 'Añadir personas',
  addPeopleTo: (conversation: string) => `Añadir personas a ${conversation}`,
  add: (count: number) => (count > 1 ? `Añadir a ${plural(count, { one: '# persona', other: '# personas' })}` : 'Añadir'),
  mustAccept: (name: string) => `${name} tiene que aceptar antes tu invitación.`,
  severalMustAccept: (count: number) => `${plural(count, { one: '# persona', other: '# personas' })} tienen que aceptar antes tu invitación.`,

  findPeople: 'Buscar personas',
  findPeopleByName: 'Buscar personas por nombre',
  people: 'Personas',
  selected: 'Seleccionadas',
  removeName: (name: string) => `Quitar a ${name}`,
  noMatch: 'Nadie con ese nombre.',
  onlyYou: 'Por ahora solo estás tú.',
  invitePeople: 'Invitar a personas',
  allAdded: 'Todos están ya en esta conversación.',
  searching: 'Buscando…',

  newMessage: 'Mensaje nuevo',
  startConversation: 'Empezar conversación',
  startGroup: 'Empezar grupo',
  groupName: 'Nombre del grupo (opcional)',
  groupNameHint: 'Sin nombre, muestra a sus miembros.',

  createAChannel: 'Crear un canal',
  createChannel: 'Crear canal',
  name: 'Nombre',
  nameHint: 'Por ejemplo, diseño o novedades',
  topic: 'Tema (opcional)',
  private: 'Privado',
  privateHint: 'Solo las personas añadidas pueden encontrarlo y leerlo.',

  notifyAll: (conversation: string) => `¿Avisar a todos en ${conversation}?`,
  notifyHere: (conversation: string) => `¿Avisar a todos los que están en línea en ${conversation}?`,
  notifyText: (others: number | undefined, online: boolean) => {
    if (others === undefined) return 'Cada uno recibe una notificación.';
    return online
      ? `Hay ${plural(others, { one: '# miembro más', other: '# miembros más' })}. Los que están en línea reciben una notificación.`
      : plural(others, { one: '# persona recibirá una notificación.', other: '# personas recibirán una notificación.' });
  },
  notify: 'Enviar y avisar',

  leave: 'Salir',
  leaveQuestion: (conversation: string) => `¿Salir de ${conversation}?`,
  leaveClosed: 'Solo puedes volver si un miembro te añade de nuevo.',
  leaveOpen: 'Puedes volver a unirte desde la lista de canales.',

  newSection: 'Sección nueva',
  renameSection: 'Cambiar el nombre de la sección',
  sectionName: 'Nombre',
  sectionHint: 'Por ejemplo, Proyectos. Solo la ves tú.',
  createSection: 'Crear sección',

  markAllRead: 'Marcar todo como leído',
  markAllReadQuestion: (conversations: number) =>
    plural(conversations, { one: '¿Marcar # conversación como leída?', other: '¿Marcar # conversaciones como leídas?' }),
  markAllReadText: 'También borra sus menciones, en todos tus dispositivos.',

  logOutAlso: (name: string) => `Cerrar sesión también en ${name}`,
  logOut: 'Cerrar sesión',
  logOutQuestion: '¿Cerrar sesión?',
  logOutText: (messages: number, drafts: number) => {
    const unsent = [
      messages && plural(messages, { one: '# mensaje sin enviar', other: '# mensajes sin enviar' }),
      drafts && plural(drafts, { one: '# borrador', other: '# borradores' }),
    ].filter((one) => typeof one === 'string');
    if (!unsent.length) return 'En este dispositivo no queda nada sin enviar.';
    return `En este dispositivo hay ${list(unsent)}. Al cerrar sesión se eliminan.`;
  },

  deleteAccount: 'Eliminar cuenta',
  deleteAccountQuestion: '¿Eliminar tu cuenta?',
  deleteAccountLogin: 'Se cierra tu sesión en todos los dispositivos y no podrás volver a entrar.',
  deleteAccountProfile: 'Tu nombre pasa a ser «Deleted user». Se eliminan tu perfil, tu imagen, tus ajustes y tus archivos sin enviar.',
  deleteAccountLeave: 'Sales de todos los canales y grupos. Otro administrador de cada uno pasa a ser el propietario.',
  yourMessages: 'Tus mensajes',
  keepMessages: 'Conservarlos',
  keepMessagesHint: 'Los demás podrán seguir leyéndolos, como de «Deleted user».',
  deleteMessages: 'Eliminarlos',
  deleteMessagesHint: 'En su lugar queda una nota de «mensaje eliminado».',
  typeToConfirm: (name: string) => `Escribe ${name} para confirmar`,

  delete: 'Eliminar',
  deleteMessageQuestion: '¿Eliminar este mensaje?',
  deleteMessageText: 'Se elimina para todos. Queda una nota de «mensaje eliminado».',
  deletedMessage: 'Mensaje eliminado',
  messageFrom: (name: string) => `Mensaje de ${name}`,

  notifications: 'Notificaciones',
  notificationsFor: (conversation: string) => `Notificaciones de ${conversation}`,
  setStatus: 'Elige tu estado',

  profile: 'Perfil',
  accountDisabled: 'Esta cuenta está desactivada. Nadie lee los mensajes que recibe.',
  ownedBy: 'Propiedad de',
  editProfile: 'Editar perfil',
  admin: 'administrador',
  localTime: (time: string, zone: string) => `Hora local ${time} (${zone})`,
  message: 'Mensaje',
  block: 'Bloquear',
  blockName: (name: string) => `Bloquear a ${name}`,
  blockText: 'No podréis enviaros mensajes y los suyos quedarán ocultos. No se le avisa.',
  unblock: 'Desbloquear',
};
