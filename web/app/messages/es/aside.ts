import type { Messages } from '..';
import { plural } from './grammar';

export const aside: Messages['aside'] = {
  close: (panel: string) => `Cerrar ${panel.toLowerCase()}`,

  pins: 'Mensajes fijados',
  noPins: 'No hay mensajes fijados. Fija los que todos deban volver a encontrar.',
  pinnedBy: (name: string) => `Fijado por ${name}`,
  you: 'ti',
  unpin: 'Dejar de fijar',

  thread: 'Hilo',
  thisThread: 'este hilo',
  follow: 'Seguir',
  following: 'Siguiendo',
  followHint: 'Recibir avisos de respuestas nuevas',
  followingHint: 'Recibes avisos de respuestas nuevas',
  replies: 'Respuestas',
  replyCount: (count: number) => plural(count, { one: '# respuesta', other: '# respuestas' }),
  noReplies: 'Aún no hay respuestas',
  loadEarlier: 'Cargar respuestas anteriores',
};
