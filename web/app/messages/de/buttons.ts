import type { Messages } from '..';

export const buttons: Messages['buttons'] = {
  cancel: 'Abbrechen',
  close: 'Schließen',
  closeHint: 'Schließen (Esc)',
  copy: 'Kopieren',
  discard: 'Verwerfen',
  done: 'Fertig',
  download: 'Herunterladen',
  loadMore: 'Mehr laden',
  remove: 'Entfernen',
  retry: 'Wiederholen',
  save: 'Speichern',
  show: 'Anzeigen',
  tryAgain: 'Erneut versuchen',
};
