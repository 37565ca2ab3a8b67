import type { Messages } from '..';
import { list, plural } from './grammar';

export const triage: Messages['triage'] = {
  activity: 'Actividad',
  filter: 'Mostrar',
  kinds: { all: 'Todo', mentions: 'Menciones', replies: 'Respuestas', reactions: 'Reacciones' },
  none: {
    all: 'Aún no hay actividad',
    mentions: 'Aún no hay menciones',
    replies: 'Aún no hay respuestas',
    reactions: 'Aún no hay reacciones',
  },
  noneText: {
    all: 'Aquí aparecen las menciones, las respuestas en hilos que sigues y las reacciones a tus mensajes.',
    mentions: 'Aquí aparecen los mensajes que te mencionan a ti o a todos en una conversación.',
    replies: 'Aquí aparecen las respuestas en hilos que sigues.',
    reactions: 'Aquí aparecen las reacciones a tus mensajes.',
  },
  unread: 'Sin leer',
  mentioned: 'te mencionó',
  mentionedAll: (name: string) => `mencionó a @${name}`,
  replied: 'respondió en un hilo',
  reacted: (emoji: string) => `· reacción con ${emoji}`,
  names: (names: string[], others: number) =>
    list(others ? [...names, plural(others, { one: '# persona más', other: '# personas más' })] : names),

  threads: 'Hilos',
  noThreads: 'Aún no hay hilos',
  noThreadsText: 'Sigues un hilo cuando respondes en él o alguien te responde.',
  chooseThread: 'Elige un hilo para leerlo aquí.',
  thread: 'Un hilo',
  threadIn: (conversation: string) => `Hilo en ${conversation}`,
  threadGone: 'Este hilo no está disponible.',

  later: 'Más tarde',
  states: { open: 'Pendientes', done: 'Hechos' },
  noneSaved: { open: 'Nada guardado para más tarde', done: 'Nada hecho todavía' },
  noneSavedText: {
    open: 'Guarda un mensaje desde su menú o pulsa A sobre él. Solo tú ves lo que guardas.',
    done: 'Aquí aparecen los mensajes guardados que marcas como hechos.',
  },
  markDone: 'Marcar como hecho',
  reopen: 'Mover a pendientes',
  remindTimes: {
    soon: 'En 20 minutos',
    hour: 'En 1 hora',
    later: 'En 3 horas',
    tomorrow: 'Mañana',
    week: 'La próxima semana',
  },
  remindAt: 'Otro momento',
  setReminder: 'Crear recordatorio',
  willRemind: (when: string) => `Te lo recordaremos: ${when}.`,

  deleted: 'Mensaje eliminado',
  blocked: 'De alguien a quien bloqueaste',
  elsewhere: 'Otra conversación',
};
