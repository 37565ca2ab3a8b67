import type { Messages } from '..';

export const notify: Messages['notify'] = {
  title: 'Benachrichtigungen',
  ask: 'Du hast eine Nachricht verpasst, während du weg warst. Benachrichtigungen einschalten?',
  turnOn: 'Einschalten',
  notNow: 'Nicht jetzt',
  notifyAbout: 'Benachrichtige mich über',
  levels: {
    all: 'Alle Nachrichten',
    mentions: 'Nur Erwähnungen',
    nothing: 'Nichts',
  },
  default: (level: string) => `Deine Voreinstellung (${level})`,
  defaults: {
    all: 'Alle Nachrichten',
    mentions: 'Erwähnungen, Stichwörter und Direktnachrichten',
    nothing: 'Nichts',
  },
  levelHints: {
    all: 'Jede neue Nachricht zählt als ungelesen',
    mentions: 'Nur Nachrichten, die dich erwähnen oder ein Stichwort enthalten',
    nothing: 'Keine Zähler und keine Benachrichtigungen',
  },
  mute: 'Stummschalten',
  muteFor: 'Stummschalten für',
  mutes: {
    hour: '1 Stunde',
    tomorrow: 'Bis morgen',
    week: '1 Woche',
    forever: 'Bis du es aufhebst',
  },
  mutedUntil: (moment: string) => `Stumm bis ${moment}`,
  muted: 'Stumm, bis du es aufhebst',
  unmute: 'Stummschaltung aufheben',
  forwarded: 'Weitergeleitete Nachricht',
  inChannel: (author: string, channel: string) => `${author} in #${channel}`,
};
