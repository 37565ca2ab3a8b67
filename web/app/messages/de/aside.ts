import type { Messages } from '..';
import { plural } from './grammar';

export const aside: Messages['aside'] = {
  close: (panel: string) => `${panel} schließen`,

  pins: 'Angeheftete Nachrichten',
  noPins: 'Keine angehefteten Nachrichten. Hefte an, was alle wiederfinden sollen.',
  pinnedBy: (name: string) => `Angeheftet von ${name}`,
  you: 'dir',
  unpin: 'Lösen',

  thread: 'Thread',
  thisThread: 'diesem Thread',
  follow: 'Folgen',
  following: 'Gefolgt',
  followHint: 'Über neue Antworten benachrichtigt werden',
  followingHint: 'Du wirst über neue Antworten benachrichtigt',
  replies: 'Antworten',
  replyCount: (count: number) => plural(count, { one: '# Antwort', other: '# Antworten' }),
  noReplies: 'Noch keine Antworten',
  loadEarlier: 'Frühere Antworten laden',
};
