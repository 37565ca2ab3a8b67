/** What travels on the presence socket, as the protocol has it. */
import type { Mode, Own, Signals, SocketFrames } from '../schema';

export type { Mode, Own, PresenceRecord, Status } from '../schema';

/** What a person has set; it holds until `until`, or until the next. */
export type Choice = Pick<Own, 'text' | 'emoji' | 'until'> & { mode: Mode };

/** To admins who observe, each second; what it holds is the dashboard's affair. */
interface Stats {
  type: 'stats';
  degraded: boolean;
  at?: number;
  [figure: string]: unknown;
}

/** What the server says. */
export type Told = Exclude<SocketFrames[keyof SocketFrames], SocketFrames['stats']> | Stats;

/** What a client says. */
export type Signal = Signals[keyof Signals];

/** A frame's words, or null for what is none. */
export function decodeTold(frame: unknown): Told | null {
  try {
    const told = JSON.parse(String(frame)) as Told | null;
    return typeof told?.type === 'string' ? told : null;
  } catch {
    return null;
  }
}
