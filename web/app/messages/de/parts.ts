import type { Messages } from '..';

export const parts: Messages['parts'] = {
  cancel: 'Abbrechen',
  save: 'Speichern',
  tryAgain: 'Erneut versuchen',
  loading: 'Wird geladen…',
  loadMore: 'Mehr laden',
  loadFailed: 'Das konnte nicht geladen werden. Versuch es erneut oder lade die Seite neu.',
  back: 'Zurück',
  dismiss: 'Ausblenden',
  bot: 'Bot',
};
