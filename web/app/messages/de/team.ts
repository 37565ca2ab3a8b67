/** Die Zahlen des Teams auf dem Dashboard. */
import type { Messages } from '..';
import { plural } from './grammar';

export const team: Messages['team'] = {
  title: 'Team',
  counting: 'Wird gezählt…',
  countedAt: (time) => `Gezählt um ${time}`,

  members: {
    title: 'Aktive Mitglieder',
    day: 'Letzte 24 Stunden',
    week: 'Letzte 7 Tage',
    month: 'Letzte 30 Tage',
    people: 'Konten',
    external: 'Aus Anwendungen',
    bots: 'Bots',
    disabled: 'Deaktiviert',
  },

  messages: {
    title: 'Nachrichten',
    total: 'Alle Nachrichten',
    month: 'Letzte 30 Tage',
    today: 'Heute',
    about: (count) => `etwa ${count}`,
    perDay: 'Nachrichten pro Tag',
    inUtc: 'Tage in UTC.',
    spoken: (day, most, today) => `Die meisten am ${day}: ${most}. Heute: ${today}.`,
    channels: 'Aktivste Kanäle',
    otherChannels: (count) => plural(count, { one: '# anderer öffentlicher Kanal', other: '# andere öffentliche Kanäle' }),
    private: 'Private Kanäle, Gruppen und Direktnachrichten',
    none: 'Keine Nachrichten in den letzten 30 Tagen.',
  },

  storage: {
    title: 'Speicherplatz',
    bytes: 'Größe der Dateien',
    files: 'Dateien',
    database: 'Datenbank',
    byKind: 'Dateien nach Art',
    kinds: {
      image: 'Bilder',
      video: 'Videos',
      audio: 'Audiodateien',
      document: 'Dokumente',
      archive: 'Archive',
      import: 'Dateien von Importen',
      other: 'Andere Dateien',
    },
    kindSize: (files, size) => `${size} · ${plural(files, { one: '# Datei', other: '# Dateien' })}`,
    none: 'Noch keine Dateien.',
  },

  notifications: {
    title: 'Gesendete Benachrichtigungen',
    kind: 'Art',
    day: 'Letzte 24 Stunden',
    week: 'Letzte 7 Tage',
    failed: 'In 7 Tagen gescheitert',
    push: 'Push-Nachrichten',
    email: 'E-Mails',
    since: (moment) => `Gezählt seit ${moment}.`,
    notCounted: 'Noch wurde nichts gezählt.',
    devices: (count) => plural(count, { one: '# Gerät kann benachrichtigt werden.', other: '# Geräte können benachrichtigt werden.' }),
    mailsOff: 'Benachrichtigungen per E-Mail sind auf diesem Server ausgeschaltet.',
  },

  hooks: {
    title: 'Integrationen',
    kind: 'Art',
    incoming: 'Eingehende Hooks',
    outgoing: 'Ausgehende Hooks',
    command: 'Slash-Befehle',
    running: 'In Betrieb',
    failing: 'Fehlerhaft',
    disabled: 'Aus',
    all: 'Alle Integrationen anzeigen',
  },
};
