import type { Messages } from '..';
import { plural } from './grammar';

const counted = (count: number) => plural(count, { one: '# Datei', other: '# Dateien' });

export const files: Messages['files'] = {
  attach: 'Dateien anhängen',
  dropTo: (place: string) => `Ablegen, um an ${place} anzuhängen`,
  tooMany: (most: number) => `Eine Nachricht kann ${most} Dateien haben. Sende die übrigen in einer weiteren Nachricht.`,

  addPicture: 'Bild hinzufügen',
  changePicture: 'Bild ändern',
  savingPicture: 'Wird gespeichert…',
  pictureHint: 'Alle können es sehen. Es wird quadratisch zugeschnitten.',

  file: 'Datei',
  unnamed: 'Datei',
  pictures: (count: number) => plural(count, { one: '# Bild', other: '# Bilder' }),
  files: (count: number) => counted(count),
  download: (name: string) => `${name} herunterladen`,
  downloadSized: (name: string, size: string) => `${name} herunterladen, ${size}`,

  attached: 'Angehängte Dateien',
  remove: (name: string) => `${name} entfernen`,
  cancel: (name: string) => `${name} abbrechen`,
  retry: (name: string) => `${name} wiederholen`,

  picture: (name: string) => `Bild ${name}`,
  openPicture: (name: string) => `Bild ${name} öffnen`,
  position: (at: number, count: number) => `${at} von ${count}`,
  downloadOriginal: 'Original herunterladen',
  previous: 'Vorheriges Bild',
  previousHint: 'Vorheriges (←)',
  next: 'Nächstes Bild',
  nextHint: 'Nächstes (→)',

  toSend: 'Zu sendende Dateien',
  someFailed: 'Einige Dateien konnten nicht hochgeladen werden. Wiederhole oder entferne sie.',
  sendsLater: 'Wird nach dem Hochladen gesendet.',
  dontSend: 'Noch nicht senden',
  uploaded: (done: number, count: number) => `${done} von ${counted(count)} hochgeladen`,
  uploading: (name: string) => `${name} wird hochgeladen`,
  failed: 'Diese Datei konnte nicht hochgeladen werden.',
  preparing: 'Wird vorbereitet…',
  waitingForConnection: 'Wartet auf die Verbindung…',
  waiting: 'Wartet…',
  resuming: 'Wird fortgesetzt…',
  progress: (percent: number, size: string) => `${percent} % von ${size}`,
};
