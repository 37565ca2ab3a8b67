import type { Messages } from '..';
import { plural } from './grammar';

const listed = (names: string[]) => (names.length > 3 ? `${names.slice(0, 3).join(', ')} y otros` : names.join(', '));
const archived: Record<string, string> = {
  channel: 'Este canal está archivado.',
  group: 'Este grupo está archivado.',
  direct: 'Este mensaje directo está archivado.',
};

export const composer: Messages['composer'] = {
  message: 'Mensaje',
  messageTo: (name: string) => `Mensaje para ${name}`,
  replyInThread: 'Responder en el hilo',
  replyHint: 'Responder en este hilo',
  preview: 'Vista previa',
  insertEmoji: 'Insertar emoji',
  formatting: 'Formato',
  format: {
    bold: 'Negrita',
    italic: 'Cursiva',
    strike: 'Tachado',
    code: 'Código',
    bullets: 'Lista con viñetas',
    numbers: 'Lista numerada',
    quote: 'Cita',
    block: 'Bloque de código',
  },
  send: 'Enviar',
  sendLater: 'Enviar más tarde',
  sendTimes: { soon: 'En 20 minutos', tomorrow: 'Mañana', monday: 'El lunes', own: 'Elegir un momento…' },
  sendTime: (name: string, time: string) => `${name} a las ${time}`,
  scheduledFor: (when: string) => `Programado: ${when}.`,
  charactersLeft: (count: number) => plural(count, { one: 'Queda # carácter', other: 'Quedan # caracteres' }),
  charactersOver: (count: number) => plural(count, { one: 'Sobra # carácter', other: 'Sobran # caracteres' }),

  suggestions: 'Sugerencias',
  suggestionCount: (count: number) => plural(count, { one: '# sugerencia', other: '# sugerencias' }),
  everyoneHere: 'Todos los que están en línea en esta conversación',
  everyone: 'Todos en esta conversación',

  commandAnswer: 'Respuesta a tu comando',
  onlyYou: 'Solo visible para ti',
  commandFiles: 'Los comandos no admiten archivos. Quita primero los archivos.',

  archived: (kind: string) => archived[kind] ?? 'Esta conversación está archivada.',
  restore: 'Restaurar',
  readOnly: 'Aquí solo pueden escribir propietarios y administradores.',
  slowMode: (interval: string) => `Modo lento: un mensaje cada ${interval}`,

  editMessage: 'Editar mensaje',
  editing: 'Editando',
  notNotified: (names: string[]) => `Editar no avisa a ${listed(names)}. Envía un mensaje nuevo.`,
  notMentioned: (names: string[]) => `Al guardar se pierde la mención de ${listed(names)}.`,
  replyingTo: (name: string) => `Respuesta a ${name}`,
  cancelReply: 'Cancelar respuesta',
  cancelHint: 'Cancelar (Esc)',
};
