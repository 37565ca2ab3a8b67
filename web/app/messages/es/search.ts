import type { Messages } from '..';
import { number } from './grammar';

export const search: Messages['search'] = {
  title: 'Búsqueda',
  everywhere: 'Buscar en todas partes',
  here: 'Buscar aquí',
  in: (conversation: string) => `Buscar en ${conversation}`,
  notOnlyIn: (conversation: string) => `Buscar en todas partes, no solo en ${conversation}`,
  thisConversation: 'esta conversación',
  clear: 'Borrar',

  searching: 'Buscando…',
  results: 'Resultados',
  found: (count: number, more: boolean) =>
    count === 1 && !more ? `${number(count)} mensaje encontrado` : `${number(count)}${more ? '+' : ''} mensajes encontrados`,
  nothing: 'No se encontraron mensajes',
  nothingEverywhere: 'Prueba con menos palabras, con otras o solo con el principio de una palabra.',
  nothingIn: (conversation: string) => `Ningún mensaje de ${conversation} coincide con tu búsqueda.`,
  inThread: 'En un hilo',
  elsewhere: 'archivada o de un canal al que no te has unido',

  recentSearches: 'Búsquedas recientes',
  recent: 'Recientes',
  howTo:
    'Busca palabras en cualquier orden. También se encuentran palabras más largas que empiezan por las tuyas. Usa "comillas" para palabras enteras y frases.',
  examples: ['from:ana', 'in:general', 'before:2026-01-31', 'after:2026-01-01', 'on:2026-01-15', 'has:link'],
  daysIn: (zone: string) => `Los días empiezan a medianoche en tu zona horaria (${zone}).`,
  addFilter: 'Añadir filtro',

  filters: 'Filtros',
  from: 'mensajes de un usuario',
  inFilter: 'en una conversación',
  before: 'antes de un día',
  after: 'desde un día',
  on: 'en un día concreto',
  hasLink: 'con un enlace',
  hasFile: 'con un archivo o una imagen',
  kinds: { channel: 'canal', group: 'grupo', direct: 'mensaje directo' },
  days: {
    today: 'Hoy',
    yesterday: 'Ayer',
    weekAgo: 'Hace una semana',
    monthAgo: 'Hace un mes',
    yearAgo: 'Hace un año',
  },
};
