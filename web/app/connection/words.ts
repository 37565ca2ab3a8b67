/** What is said of the connection: honest, and short. Pure. */
import type { StreamState } from '../../client';

export interface Words {
  /** One or two words, always shown. */
  label: string;
  tone: 'good' | 'busy' | 'bad';
  /** A sentence, shown where it matters; none while all is well. */
  sentence: string | null;
}

/** `seconds` until the next attempt, `unsent` messages in the outbox, `network` as the browser knows it. */
export function wordsFor(state: StreamState, unsent: number, seconds: number, network = true): Words {
  switch (state.name) {
    case 'live':
      return { label: 'Live', tone: 'good', sentence: null };
    case 'behind':
      return { label: 'Catching up', tone: 'busy', sentence: 'Catching up on what you missed…' };
    case 'polling':
      return {
        label: 'Checking',
        tone: 'busy',
        sentence:
          'Something on this network holds live updates back. Checking for messages instead; they may come a little later.',
      };
    case 'offline':
      return {
        label: 'Offline',
        tone: 'bad',
        sentence: `${reason(state.problem.status, network)} ${wait(seconds)}${left(unsent)}`,
      };
    case 'refused':
      return { label: 'Logged out', tone: 'bad', sentence: 'You were logged out.' };
    default:
      return { label: 'Connecting', tone: 'busy', sentence: `Connecting…${left(unsent)}` };
  }
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
