import type { Messages } from '..';
import { list, plural } from './grammar';

export const message: Messages['message'] = {
  actions: 'Acciones del mensaje',
  moreActions: 'Más acciones',
  reactWith: (emoji: string) => `Reaccionar con ${emoji}`,
  addReaction: 'Añadir reacción',
  reply: 'Responder',
  replyInThread: 'Responder en el hilo',
  viewThread: 'Ver hilo',
  edit: 'Editar',
  pin: 'Fijar',
  unpin: 'Dejar de fijar',
  copyText: 'Copiar texto',
  textCopied: 'Texto copiado',
  copyCode: 'Copiar código',
  codeCopied: 'Código copiado',
  copyLink: 'Copiar enlace',
  linkCopied: 'Enlace copiado',
  markUnread: 'Marcar como no leído',
  markRead: 'Marcar como leído',
  saveForLater: 'Guardar para más tarde',
  unsave: 'Quitar de «Más tarde»',
  remindMe: 'Recuérdamelo',
  viewProfile: 'Ver perfil',
  editHistory: 'Historial de ediciones',
  deliveryDetails: 'Detalles de entrega',
  report: 'Denunciar',
  delete: 'Eliminar',

  reminderMessage: 'Ver mensaje',
  reminderConversation: 'Ver conversación',

  saving: '(guardando…)',
  notSaved: (why: string) => `No se guardó. ${why}`,

  writing: 'Escribiendo…',
  stop: 'Detener',
  stopping: 'Deteniendo…',
  streamCancelled: 'Detenido antes del final.',
  streamFailed: 'Interrumpido. El texto puede estar incompleto.',

  inReplyTo: 'Respuesta a',
  earlier: 'Un mensaje anterior',
  deleted: 'Mensaje eliminado',
  fromBlocked: 'De alguien a quien bloqueaste',

  reactions: 'Reacciones',
  reaction: (emoji: string, count: number, names: string) => `${emoji} ${count}: ${names}`,
  you: 'Tú',
  others: (count: number) => plural(count, { one: '# más', other: '# más' }),
  list: (names: string[]) => list(names),

  seen: 'Visto',
  seenByEveryone: 'Visto por todos',
  seenBy: (names: string) => `Visto por ${names}`,

  data: 'Datos',
  dataOf: (type: string) => `Datos de ${type}`,
  moreFields: (count: number) => plural(count, { one: 'Mostrar # campo más', other: 'Mostrar # campos más' }),
  dataCut: 'Los demás campos no se muestran.',

  replies: (count: number) => plural(count, { one: '# respuesta', other: '# respuestas' }),
  newReplies: (count: number) => plural(count, { one: '# nueva', other: '# nuevas' }),
  lastReply: (when: string) => `Última respuesta ${when}`,
};
