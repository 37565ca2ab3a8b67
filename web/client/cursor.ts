/** Cursors of the log, `<epoch>.<position>`, and the position that a client has reached. Pure. */

export interface Cursor {
  epoch: string;
  position: number;
}

/** Return the cursor in an event's id, or null if the text is not a cursor. */
export function parseCursor(text: string | null | undefined): Cursor | null {
  const match = /^(.+)\.(\d{1,16})$/.exec(text ?? '');
  if (!match?.[1] || !match[2]) return null;
  const position = Number(match[2]);
  return Number.isSafeInteger(position) ? { epoch: match[1], position } : null;
}

/**
 * Compare an id with the cursor already reached. `next` is ahead. `old` was passed before (a repeat, or out of
 * order). `foreign` belongs to another log, whose positions mean something else: load a new snapshot.
 */
export function compareCursors(reached: string | null, id: string): 'next' | 'old' | 'foreign' {
  const [from, to] = [parseCursor(reached), parseCursor(id)];
  if (!to) return 'foreign';
  if (!from) return 'next';
  if (from.epoch !== to.epoch) return 'foreign';
  return to.position > from.position ? 'next' : 'old';
}

/** The position in the log that this client has reached. It only moves forward. */
export class Position {
  constructor(private reached: string | null) {}

  get cursor(): string | null {
    return this.reached;
  }

  /**
   * Move to a cursor. Return true if it was ahead, false if it was passed before, null if it belongs to another
   * log.
   */
  advance(cursor: string): boolean | null {
    const relation = compareCursors(this.reached, cursor);
    if (relation === 'next') this.reached = cursor;
    return relation === 'foreign' ? null : relation === 'next';
  }

  /**
   * Stay at this position in the epoch of `cursor`. The server has accepted the old cursor, so the epoch of `cursor`
   * continues that log, as after a fail-over of its database.
   */
  adoptEpoch(cursor: string | null): void {
    const [from, to] = [parseCursor(this.reached), parseCursor(cursor)];
    if (from && to) this.reached = `${to.epoch}.${from.position}`;
  }

  /** Move to a cursor that is already known to be ahead. */
  moveTo(cursor: string): void {
    this.reached = cursor;
  }
}
