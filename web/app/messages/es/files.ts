import type { Messages } from '..';
import { plural } from './grammar';

const counted = (count: number) => plural(count, { one: '# archivo', other: '# archivos' });

export const files: Messages['files'] = {
  attach: 'Adjuntar archivos',
  dropTo: (place: string) => `Suelta para adjuntar a ${place}`,
  tooMany: (most: number) => `Un mensaje puede tener ${most} archivos. Envía los demás en otro mensaje.`,

  addPicture: 'Añadir imagen',
  changePicture: 'Cambiar imagen',
  savingPicture: 'Guardando…',
  pictureHint: 'Todos pueden verla. Se recorta en forma cuadrada.',

  file: 'Archivo',
  unnamed: 'archivo',
  pictures: (count: number) => plural(count, { one: '# imagen', other: '# imágenes' }),
  files: (count: number) => counted(count),
  download: (name: string) => `Descargar ${name}`,
  downloadSized: (name: string, size: string) => `Descargar ${name}, ${size}`,

  attached: 'Archivos adjuntos',
  remove: (name: string) => `Quitar ${name}`,
  cancel: (name: string) => `Cancelar ${name}`,
  retry: (name: string) => `Reintentar ${name}`,

  picture: (name: string) => `Imagen ${name}`,
  openPicture: (name: string) => `Abrir imagen ${name}`,
  position: (at: number, count: number) => `${at} de ${count}`,
  downloadOriginal: 'Descargar original',
  previous: 'Imagen anterior',
  previousHint: 'Anterior (←)',
  next: 'Imagen siguiente',
  nextHint: 'Siguiente (→)',

  toSend: 'Archivos por enviar',
  someFailed: 'Algunos archivos no se pudieron subir. Reinténtalos o quítalos.',
  sendsLater: 'Se enviará cuando terminen las subidas.',
  dontSend: 'No enviar todavía',
  uploaded: (done: number, count: number) => `${done} de ${counted(count)} subidos`,
  uploading: (name: string) => `Subiendo ${name}`,
  failed: 'No se pudo subir este archivo.',
  preparing: 'Preparando…',
  waitingForConnection: 'Esperando la conexión…',
  waiting: 'En espera…',
  resuming: 'Reanudando…',
  progress: (percent: number, size: string) => `${percent} % de ${size}`,
};
