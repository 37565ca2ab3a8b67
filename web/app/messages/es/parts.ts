import type { Messages } from '..';

export const parts: Messages['parts'] = {
  cancel: 'Cancelar',
  save: 'Guardar',
  tryAgain: 'Intentar de nuevo',
  loading: 'Cargando…',
  loadMore: 'Cargar más',
  loadFailed: 'No se pudo cargar. Inténtalo de nuevo o recarga la página.',
  back: 'Atrás',
  dismiss: 'Ocultar',
  bot: 'Bot',
};
