/** The frames of the presence socket. */
import type { Mode, Own, Signals, SocketFrames } from '../schema';

export type { Mode, Own, PresenceRecord, Status } from '../schema';

/** The status that a user has set. It holds until `until`, or until the next one. */
export type Choice = Pick<Own, 'text' | 'emoji' | 'until'> & { mode: Mode };

/** Sent every second to admins who observe. Its figures are the dashboard's concern. */
interface Stats {
  type: 'stats';
  degraded: boolean;
  at?: number;
  [figure: string]: unknown;
}

/** A frame from the server. */
export type ServerFrame = Exclude<SocketFrames[keyof SocketFrames], SocketFrames['stats']> | Stats;

/** A frame from a client. */
export type Signal = Signals[keyof Signals];

/** Decode a frame; return null if it is not valid. */
export function decodeFrame(frame: unknown): ServerFrame | null {
  try {
    const decoded = JSON.parse(String(frame)) as ServerFrame | null;
    return typeof decoded?.type === 'string' ? decoded : null;
  } catch {
    return null;
  }
}
