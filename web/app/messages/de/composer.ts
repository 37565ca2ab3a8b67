import type { Messages } from '..';
import { plural } from './grammar';

const listed = (names: string[]) => (names.length > 3 ? `${names.slice(0, 3).join(', ')} und andere` : names.join(', '));
const archived: Record<string, string> = { channel: 'Dieser Kanal', group: 'Diese Gruppe', direct: 'Diese Direktnachricht' };

export const composer: Messages['composer'] = {
  message: 'Nachricht',
  messageTo: (name: string) => `Nachricht an ${name}`,
  replyInThread: 'Im Thread antworten',
  replyHint: 'In diesem Thread antworten',
  preview: 'Vorschau',
  insertEmoji: 'Emoji einfügen',
  formatting: 'Formatierung',
  format: {
    bold: 'Fett',
    italic: 'Kursiv',
    strike: 'Durchgestrichen',
    code: 'Code',
    bullets: 'Aufzählung',
    numbers: 'Nummerierte Liste',
    quote: 'Zitat',
    block: 'Codeblock',
  },
  send: 'Senden',
  sendLater: 'Später senden',
  sendTimes: { soon: 'In 20 Minuten', tomorrow: 'Morgen', monday: 'Montag', own: 'Zeit wählen…' },
  sendTime: (name: string, time: string) => `${name} um ${time}`,
  scheduledFor: (when: string) => `Geplant: ${when}.`,
  charactersLeft: (count: number) => plural(count, { one: 'Noch # Zeichen', other: 'Noch # Zeichen' }),
  charactersOver: (count: number) => plural(count, { one: '# Zeichen zu viel', other: '# Zeichen zu viel' }),

  suggestions: 'Vorschläge',
  suggestionCount: (count: number) => plural(count, { one: '# Vorschlag', other: '# Vorschläge' }),
  everyoneHere: 'Alle, die in dieser Unterhaltung online sind',
  everyone: 'Alle in dieser Unterhaltung',

  commandAnswer: 'Antwort auf deinen Befehl',
  onlyYou: 'Nur für dich sichtbar',
  commandFiles: 'Befehle nehmen keine Dateien an. Entferne zuerst die Dateien.',

  archived: (kind: string) => `${archived[kind] ?? 'Diese Unterhaltung'} ist archiviert.`,
  restore: 'Wiederherstellen',
  readOnly: 'Hier können nur Besitzer und Admins schreiben.',
  slowMode: (interval: string) => `Langsamer Modus: eine Nachricht alle ${interval}`,

  editMessage: 'Nachricht bearbeiten',
  editing: 'Bearbeiten',
  notNotified: (names: string[]) => `Bearbeiten benachrichtigt ${listed(names)} nicht. Sende stattdessen eine neue Nachricht.`,
  notMentioned: (names: string[]) => `Beim Speichern entfällt die Erwähnung von ${listed(names)}.`,
  replyingTo: (name: string) => `Antwort an ${name}`,
  cancelReply: 'Antwort abbrechen',
  cancelHint: 'Abbrechen (Esc)',
};
