/** The texts about the connection, in a label, a sentence and a form to be read out. Pure. */
import type { StreamState } from '../../client';
import { messages } from '../messages';

const m = messages.connection;

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
      return words(m.live, 'good', null, m.connected);
    case 'behind':
      return { ...words(m.behind, 'busy', catchingUp(state)), ...progressOf(state), spoken: m.catchingUp };
    case 'polling':
      return words(m.polling, 'busy', m[state.why], m.maybeLate);
    case 'offline': {
      const why = reason(state.problem.status, network);
      return words(m.offline, 'bad', `${why} ${seconds > 1 ? m.retryingIn(seconds) : m.retrying}`, why);
    }
    case 'refused':
      return words(m.loggedOut, 'bad', m.youWereLoggedOut);
    default:
      return 'draining' in state && state.draining
        ? words(m.moving, 'busy', m.movingToAnother, m.movingSpoken)
        : words(m.connecting, 'busy', m.connectingNow);
  }
}

function catchingUp({ done, of }: { done: number; of: number }): string {
  return of < WORTH_COUNTING ? m.catchingUpOnMissed : m.catchingUpCounted(done, of);
}

function progressOf({ done, of }: { done: number; of: number }): { progress: number | null } {
  return { progress: of < WORTH_COUNTING ? null : done / of };
}

function reason(status: number, network: boolean): string {
  if (!network) return m.youAreOffline;
  if (status === 0) return m.unreachable;
  return status === 429 ? m.tooManyRequests : m.unavailable;
}

function withUnsent(sentence: string, unsent: number): string {
  return unsent ? `${sentence} ${m.unsent(unsent)}` : sentence;
}
