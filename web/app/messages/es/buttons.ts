import type { Messages } from '..';

export const buttons: Messages['buttons'] = {
  cancel: 'Cancelar',
  close: 'Cerrar',
  closeHint: 'Cerrar (Esc)',
  copy: 'Copiar',
  discard: 'Descartar',
  done: 'Listo',
  download: 'Descargar',
  loadMore: 'Cargar más',
  remove: 'Quitar',
  retry: 'Reintentar',
  save: 'Guardar',
  show: 'Mostrar',
  tryAgain: 'Intentar de nuevo',
};
