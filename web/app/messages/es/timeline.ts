import type { Messages } from '..';
import { list, plural } from './grammar';

const listed = (names: string[], more: number) => list(more ? [...names, plural(more, { one: '# persona más', other: '# personas más' })] : names);
const isOne = (names: string[], more: number) => names.length + more === 1;

export const timeline: Messages['timeline'] = {
  messagesIn: (conversation: string) => `Mensajes de ${conversation}`,
  beginningOf: (channel: string) => `Aquí empieza ${channel}.`,
  onlyYouAnd: (names: string) => `Solo tú y ${names} podéis leer estos mensajes.`,
  notesToYourself: 'Notas para ti. Solo tú puedes leerlas.',

  addPeople: 'Añadir personas',
  describe: 'Describirlo',
  invite: 'Invitar con un enlace',

  joined: (names: string[], more: number) => `${listed(names, more)} ${isOne(names, more) ? 'se unió' : 'se unieron'}`,
  left: (names: string[], more: number) => `${listed(names, more)} ${isOne(names, more) ? 'salió' : 'salieron'}`,
  renamed: (name: string) => `Ahora el nombre es ${name}`,

  new: 'Nuevo',
  newMessages: (count: number) => plural(count, { one: '# mensaje nuevo', other: '# mensajes nuevos' }),
  markedUnread: 'Marcado como no leído',
  newMessagesBelow: 'Mensajes nuevos',
  jumpToNewest: 'Ir al más reciente',
  jumpToUnread: 'Ir al primero sin leer',
  clearUnread: 'Quitar la marca de no leído',

  notLoaded: (why: string) => `No se pudieron cargar los mensajes. ${why}`,
  unavailable: 'Ese mensaje no está disponible.',

  deleted: 'Este mensaje se eliminó.',
  fromBlocked: 'De alguien a quien bloqueaste.',
  edited: '(editado)',
  editedAt: (when: string) => `Editado: ${when}`,
  pinned: 'Fijado',
  saved: 'Guardado',
  messageBy: (author: string, time: string) => `${author}, ${time}`,
  announced: (author: string, text: string) => `${author}: ${text}`,

  showMore: 'Mostrar más',
  showLess: 'Mostrar menos',

  waiting: 'Pendiente de envío',
  sending: 'Enviando…',
  notSent: (why: string) => `No enviado. ${why}`,

  authors: (names: string[]) => (names.length > 2 ? `${names.slice(0, 2).join(', ')} y otros` : list(names)),
  repliedInThread: (authors: number, replies: number) => {
    const verb = authors === 1 ? 'respondió' : 'respondieron';
    if (replies === 1) return `${verb} en un hilo:`;
    return `${verb} ${plural(replies, { one: '# vez', other: '# veces' })} en un hilo:`;
  },
};
