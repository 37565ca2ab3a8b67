/** The texts about the connection, in a label, a sentence and a form to be read out. Pure. */
import type { StreamState } from '../../client';
import { messages as m } from '../messages';

export interface Words {
  /** One or two words, always shown. */
  label: string;
  tone: 'good' | 'busy' | 'bad';
  /** A sentence for the banner; null if there is nothing to report. */
  sentence: string | null;
  /** The sentence for screen readers, without anything that changes every second. */
  spoken: string;
  /** The fraction of missed changes that has arrived, from 0 to 1; null if it is not known. */
  progress: number | null;
}

interface Circumstances {
  /** Messages in the outbox. */
  unsent: number;
  /** Seconds until the next attempt. */
  seconds: number;
  /** False if the browser reports that it is offline. */
  network: boolean;
}

/** Replaying fewer changes than this is over before a user could read a count. */
const WORTH_COUNTING = 200;

export function wordsFor(state: StreamState, { unsent, seconds, network }: Circumstances): Words {
  const words = (label: string, tone: Words['tone'], sentence: string | null, spoken = sentence): Words => ({
    ...{ label, tone, progress: null },
    sentence: sentence && withUnsent(sentence, unsent),
    spoken: spoken ? withUnsent(spoken, unsent) : '',
  });
  switch (state.name) {
    case 'live':
      return words(m.connection.live, 'good', null, m.connection.connected);
    case 'behind':
      return { ...words(m.connection.behind, 'busy', catchingUp(state)), ...progressOf(state), spoken: m.connection.catchingUp };
    case 'polling':
      return words(m.connection.polling, 'busy', m.connection[state.why], m.connection.maybeLate);
    case 'offline': {
      const why = reason(state.problem.status, network);
      return words(m.connection.offline, 'bad', `${why} ${seconds > 1 ? m.connection.retryingIn(seconds) : m.connection.retrying}`, why);
    }
    case 'refused':
      return words(m.connection.loggedOut, 'bad', m.connection.youWereLoggedOut);
    default:
      return 'draining' in state && state.draining
        ? words(m.connection.moving, 'busy', m.connection.movingToAnother, m.connection.movingSpoken)
        : words(m.connection.connecting, 'busy', m.connection.connectingNow);
  }
}

function catchingUp({ done, of }: { done: number; of: number }): string {
  return of < WORTH_COUNTING ? m.connection.catchingUpOnMissed : m.connection.catchingUpCounted(done, of);
}

function progressOf({ done, of }: { done: number; of: number }): { progress: number | null } {
  return { progress: of < WORTH_COUNTING ? null : done / of };
}

function reason(status: number, network: boolean): string {
  if (!network) return m.connection.youAreOffline;
  if (status === 0) return m.connection.unreachable;
  return status === 429 ? m.connection.tooManyRequests : m.connection.unavailable;
}

function withUnsent(sentence: string, unsent: number): string {
  return unsent ? `${sentence} ${m.connection.unsent(unsent)}` : sentence;
}
