/** A place in the log, `<epoch>.<position>`. Pure. */

export interface Cursor {
  epoch: string;
  position: number;
}

/** The cursor in an event's id, or null when it is none. */
export function parseCursor(text: string | null | undefined): Cursor | null {
  const match = /^(.+)\.(\d{1,16})$/.exec(text ?? '');
  if (!match?.[1] || !match[2]) return null;
  const position = Number(match[2]);
  return Number.isSafeInteger(position) ? { epoch: match[1], position } : null;
}

/**
 * How an id stands to the place already reached: `next` may be taken, `old` was taken before (a repeat, or
 * out of order), `foreign` belongs to a log whose positions mean something else, and asks for a new snapshot.
 */
export function compareCursors(reached: string | null, id: string): 'next' | 'old' | 'foreign' {
  const [from, to] = [parseCursor(reached), parseCursor(id)];
  if (!to) return 'foreign';
  if (!from) return 'next';
  if (from.epoch !== to.epoch) return 'foreign';
  return to.position > from.position ? 'next' : 'old';
}

/** How far this client has come in the log; it only ever moves forward. */
export class Position {
  constructor(private reached: string | null) {}

  get cursor(): string | null {
    return this.reached;
  }

  /**
   * Takes an id: true when it lies ahead, false when it was passed before, null when it is of another log.
   */
  advance(cursor: string): boolean | null {
    const relation = compareCursors(this.reached, cursor);
    if (relation === 'next') this.reached = cursor;
    return relation === 'foreign' ? null : relation === 'next';
  }

  /** Move to a cursor that is already known to be ahead. */
  moveTo(cursor: string): void {
    this.reached = cursor;
  }
}
