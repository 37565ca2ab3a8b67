import type { Messages } from '..';
import { list, plural } from './grammar';

const people = (count: number) => plural(count, { one: '# Person', other: '# Personen' });

export const dialogs: Messages['dialogs'] = {
  forward: 'Nachricht weiterleiten',
  forwardHint: 'Alle dort sehen den Text. Nur wer das Original lesen kann, sieht auch Verfasser und Unterhaltung.',
  findConversations: 'Unterhaltungen suchen',
  conversations: 'Unterhaltungen',
  noConversation: 'Keine Unterhaltung mit diesem Namen.',
  comment: 'Kommentar (optional)',
  forwardTo: (count: number) => (count > 1 ? plural(count, { other: 'An # Unterhaltungen weiterleiten' }) : 'Weiterleiten'),
  forwardedTo: (names: string[]) => `Weitergeleitet an ${list(names.length > 3 ? [...names.slice(0, 3), 'andere'] : names)}.`,

  notLoaded: 'Das konnte nicht geladen werden. Versuch es erneut oder lade die Seite neu.',

  addPeople: 'Personen hinzufügen',
  addPeopleTo: (conversation: string) => `Personen zu ${conversation} hinzufügen`,
  add: (count: number) => (count > 1 ? `${people(count)} hinzufügen` : 'Hinzufügen'),
  mustAccept: (name: string) => `${name} muss deine Einladung erst annehmen.`,
  severalMustAccept: (count: number) => `${people(count)} müssen deine Einladung erst annehmen.`,

  findPeople: 'Personen finden',
  findPeopleByName: 'Personen nach Namen finden',
  people: 'Personen',
  selected: 'Ausgewählt',
  removeName: (name: string) => `${name} entfernen`,
  noMatch: 'Niemand mit diesem Namen.',
  onlyYou: 'Du bist bisher allein hier.',
  invitePeople: 'Personen einladen',
  allAdded: 'Alle sind schon in dieser Unterhaltung.',
  searching: 'Suche läuft…',

  newMessage: 'Neue Nachricht',
  startConversation: 'Unterhaltung beginnen',
  startGroup: 'Gruppe beginnen',
  groupName: 'Name der Gruppe (optional)',
  groupNameHint: 'Ohne Namen zeigt sie ihre Mitglieder.',

  createAChannel: 'Einen Kanal erstellen',
  createChannel: 'Kanal erstellen',
  name: 'Name',
  nameHint: 'Zum Beispiel design oder versionshinweise',
  topic: 'Thema (optional)',
  private: 'Privat',
  privateHint: 'Nur hinzugefügte Personen können ihn finden und lesen.',

  notifyAll: (conversation: string) => `Alle in ${conversation} benachrichtigen?`,
  notifyHere: (conversation: string) => `Alle benachrichtigen, die in ${conversation} online sind?`,
  notifyText: (others: number | undefined, online: boolean) => {
    if (others === undefined) return 'Alle bekommen eine Benachrichtigung.';
    return online
      ? `Sie hat ${plural(others, { one: '# weiteres Mitglied', other: '# weitere Mitglieder' })}. Wer davon online ist, bekommt eine Benachrichtigung.`
      : plural(others, { one: '# Person bekommt eine Benachrichtigung.', other: '# Personen bekommen eine Benachrichtigung.' });
  },
  notify: 'Senden und benachrichtigen',

  leave: 'Verlassen',
  leaveQuestion: (conversation: string) => `${conversation} verlassen?`,
  leaveClosed: 'Du kannst nur zurück, wenn ein Mitglied dich wieder hinzufügt.',
  leaveOpen: 'Du kannst über die Liste der Kanäle wieder beitreten.',

  newSection: 'Neuer Abschnitt',
  renameSection: 'Abschnitt umbenennen',
  sectionName: 'Name',
  sectionHint: 'Zum Beispiel Projekte. Nur du siehst ihn.',
  createSection: 'Abschnitt erstellen',

  markAllRead: 'Alle als gelesen markieren',
  markAllReadQuestion: (conversations: number) =>
    plural(conversations, { one: '# Unterhaltung als gelesen markieren?', other: '# Unterhaltungen als gelesen markieren?' }),
  markAllReadText: 'Das entfernt auch ihre Erwähnungen, auf allen deinen Geräten.',

  logOutAlso: (name: string) => `Auch bei ${name} abmelden`,
  logOut: 'Abmelden',
  logOutQuestion: 'Abmelden?',
  logOutText: (messages: number, drafts: number) => {
    const unsent = [
      messages && plural(messages, { one: '# ungesendete Nachricht', other: '# ungesendete Nachrichten' }),
      drafts && plural(drafts, { one: '# Entwurf', other: '# Entwürfe' }),
    ].filter((one) => typeof one === 'string');
    if (!unsent.length) return 'Auf diesem Gerät ist nichts ungesendet.';
    return `Auf diesem Gerät: ${list(unsent)}. Beim Abmelden wird das gelöscht.`;
  },

  deleteAccount: 'Konto löschen',
  deleteAccountQuestion: 'Dein Konto löschen?',
  deleteAccountLogin: 'Du wirst auf allen Geräten abgemeldet und kannst dich nicht wieder anmelden.',
  deleteAccountProfile: 'Dein Name wird „Deleted user“. Dein Profil, Bild, deine Einstellungen und ungesendeten Dateien werden gelöscht.',
  deleteAccountLeave: 'Du verlässt alle Kanäle und Gruppen. Ein anderer Admin dort wird der Besitzer.',
  yourMessages: 'Deine Nachrichten',
  keepMessages: 'Behalten',
  keepMessagesHint: 'Andere können sie weiterhin lesen, als von „Deleted user“.',
  deleteMessages: 'Löschen',
  deleteMessagesHint: 'An ihrer Stelle bleibt der Hinweis „Nachricht gelöscht“.',
  typeToConfirm: (name: string) => `Gib zur Bestätigung ${name} ein`,

  delete: 'Löschen',
  deleteMessageQuestion: 'Diese Nachricht löschen?',
  deleteMessageText: 'Das entfernt sie für alle. Der Hinweis „Nachricht gelöscht“ bleibt.',
  deletedMessage: 'Gelöschte Nachricht',
  messageFrom: (name: string) => `Nachricht von ${name}`,

  notifications: 'Benachrichtigungen',
  notificationsFor: (conversation: string) => `Benachrichtigungen für ${conversation}`,
  setStatus: 'Setze deinen Status',

  profile: 'Profil',
  accountDisabled: 'Dieses Konto ist deaktiviert. Nachrichten daran liest niemand.',
  ownedBy: 'Gehört',
  editProfile: 'Profil bearbeiten',
  admin: 'Admin',
  localTime: (time: string, zone: string) => `Ortszeit ${time} (${zone})`,
  message: 'Nachricht',
  block: 'Blockieren',
  blockName: (name: string) => `${name} blockieren`,
  blockText: 'Ihr könnt einander nicht schreiben, und ihre Nachrichten sind verborgen. Die Person erfährt nichts davon.',
  unblock: 'Freigeben',
};
