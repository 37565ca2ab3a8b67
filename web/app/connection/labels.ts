/** What is said of the connection: honest, and short. Pure. */
import type { StreamState } from '../../client';

export interface Words {
  /** One or two words, always shown. */
  label: string;
  tone: 'good' | 'busy' | 'bad';
  /** A sentence, shown where it matters; none while all is well. */
  sentence: string | null;
  /** The same for ears, without what changes by the second. */
  spoken: string;
  /** How much of what was missed has come, from 0 to 1; null where that is not known. */
  progress: number | null;
}

interface Around {
  /** Messages in the outbox. */
  unsent: number;
  /** Until the next attempt. */
  seconds: number;
  /** As the browser knows it. */
  network: boolean;
}

/** So few positions are replayed before anybody could read how many. */
const WORTH_COUNTING = 200;

export function wordsFor(state: StreamState, { unsent, seconds, network }: Around): Words {
  const words = (label: string, tone: Words['tone'], sentence: string | null, spoken = sentence): Words => ({
    ...{ label, tone, progress: null },
    sentence: sentence && sentence + left(unsent),
    spoken: spoken ? spoken + left(unsent) : '',
  });
  switch (state.name) {
    case 'live':
      return words('Live', 'good', null, 'Connected.');
    case 'behind':
      return { ...words('Catching up', 'busy', catchingUp(state)), ...progressOf(state), spoken: 'Catching up.' };
    case 'polling':
      return words('Checking', 'busy', held[state.why], 'Messages may come a little later.');
    case 'offline': {
      const why = reason(state.problem.status, network);
      return words('Offline', 'bad', `${why} ${wait(seconds)}`, why);
    }
    case 'refused':
      return words('Logged out', 'bad', 'You were logged out.');
    default:
      return 'draining' in state && state.draining
        ? words('Moving', 'busy', 'The server is being restarted. Moving to another…', 'Moving to another server.')
        : words('Connecting', 'busy', 'Connecting…');
  }
}

const held = {
  buffered:
    'Something on this network holds live updates back. Checking for messages instead; they may come a little later.',
  stalled:
    'Something on this network holds live updates back: they came, and stopped. Checking for messages instead; they may come a little later.',
};

function catchingUp({ done, of }: { done: number; of: number }): string {
  if (of < WORTH_COUNTING) return 'Catching up on what you missed…';
  return `Catching up on what you missed: ${done.toLocaleString('en')} of ${of.toLocaleString('en')} changes…`;
}

function progressOf({ done, of }: { done: number; of: number }): { progress: number | null } {
  return { progress: of < WORTH_COUNTING ? null : done / of };
}

function reason(status: number, network: boolean): string {
  if (!network) return 'You are offline.';
  if (status === 0) return 'The server cannot be reached.';
  return status === 429 ? 'The server asks for a pause.' : 'The server cannot answer right now.';
}

function wait(seconds: number): string {
  return seconds > 1 ? `Trying again in ${seconds} s.` : 'Trying again…';
}

function left(unsent: number): string {
  if (!unsent) return '';
  return unsent === 1 ? ' 1 message waits to be sent.' : ` ${unsent} messages wait to be sent.`;
}
