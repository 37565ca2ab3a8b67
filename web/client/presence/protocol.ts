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
export type ServerFrame = Exclude<SocketFrames[keyof SocketFrames], SocketFrames['stats']> | Stats;

/** What a client says. */
export type Signal = Signals[keyof Signals];

/** A frame's words, or null for what is none. */
export function decodeFrame(frame: unknown): ServerFrame | null {
  try {
    const decoded = JSON.parse(String(frame)) as ServerFrame | null;
    return typeof decoded?.type === 'string' ? decoded : null;
  } catch {
    return null;
  }
}
