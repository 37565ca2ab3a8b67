import type { Messages } from '..';
import { plural } from './grammar';

const streams = (count: number) => plural(count, { one: '# Nachrichtenstrom', other: '# Nachrichtenströme' });

export const evidence: Messages['evidence'] = {
  deliveryDetails: 'Zustelldetails',
  deliveryTo: (name: string) => `Zustellung an ${name}`,
  findPeople: 'Personen finden',
  people: 'Personen',
  noMatch: 'Niemand mit diesem Namen.',
  noOthers: 'Sonst ist niemand in dieser Unterhaltung.',
  loading: 'Zustelldetails werden geladen…',
  anotherUser: 'Anderen Benutzer wählen',
  refresh: 'Aktualisieren',
  recorded: 'Dies wird im Aktivitätsprotokoll festgehalten.',

  steps: 'Schritte der Zustellung',
  stored: 'Auf die Festplatte geschrieben',
  storedHint: (position: number, node: string) => `Position im Log ${position}${node && `, von Knoten ${node}`}`,
  session: (session: number, node: string) => `Sitzung ${session}, Knoten ${node}`,
  connected: 'Ein Gerät hat sich verbunden',
  sent: 'An das Gerät gesendet',
  replayed: 'An das Gerät gesendet, als es sich wieder verbunden hat',
  disconnected: (why: string) => `Das Gerät wurde getrennt: ${why}`,
  ends: {
    drain: 'der Server wurde neu gestartet',
    age: 'die Verbindung musste erneuert werden',
    slow: 'es hat zu langsam gelesen',
    revoked: 'seine Sitzung wurde beendet',
    expired: 'seine Sitzung ist abgelaufen',
    epoch: 'die Datenbank wurde wiederhergestellt',
  },
  closedByDevice: 'Das Gerät hat die Verbindung getrennt',
  readBy: (name: string) => `Gelesen von ${name}`,
  notMember: (name: string) => `${name} war beim Senden kein Mitglied`,
  disabled: (name: string) => `Das Konto von ${name} ist deaktiviert`,
  deleted: 'Die Nachricht wurde gelöscht',
  unread: (name: string) => `${name} hat sie noch nicht gelesen`,
  unreadHint: 'Die Nachricht wurde an ein Gerät gesendet.',
  notReached: 'Kein verbundenes Gerät hat diese Nachricht erhalten',
  noDevice: (name: string) => `Seitdem hat sich kein Gerät von ${name} verbunden`,
  willArrive: 'Sie ist gespeichert und wird zugestellt, sobald sich ein Gerät verbindet.',
  openStreams: (count: number, name: string) =>
    count ? `Jetzt: ${plural(count, { one: '# offener Strom', other: '# offene Ströme' })} für ${name}` : `Jetzt: kein offener Strom für ${name}`,

  verdicts: {
    author: (name: string) => `${name} hat sie geschrieben.`,
    read: (name: string) => `${name} hat sie gelesen.`,
    receivedAndRead: (name: string) => `${name} hat sie erhalten und gelesen.`,
    received: (name: string) => `${name} hat sie erhalten und noch nicht gelesen.`,
    receivedLater: (name: string) => `${name} hat sie nach dem erneuten Verbinden erhalten und noch nicht gelesen.`,
    notReceived: (name: string) => `${name} hat sie nicht erhalten: Jede Verbindung seitdem endete, bevor sie ankam.`,
    noDevice: (name: string) => `${name} hat sie nicht erhalten: Seit dem Senden hat sich kein Gerät verbunden.`,
    excluded: (name: string, why: string) => `${name} erhält sie nicht. ${why}`,
  },

  devices: 'Jetzt verbundene Geräte',
  unnamedDevice: 'Unbenanntes Gerät',
  deviceStreams: (session: string, count: number, active: boolean) => `${session}: ${streams(count)}${active ? ', in Benutzung' : ''}`,

  editHistory: 'Bearbeitungsverlauf',
  versions: 'Versionen',
  edits: 'Bearbeitungen',
  noVersions: 'Es sind keine früheren Versionen gespeichert.',
  you: 'Du',
  edited: '– bearbeitet',
  deletedIt: '– gelöscht',
};
