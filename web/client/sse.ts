/**
 * An incremental parser of text/event-stream, after the WHATWG standard. Pure: text in, frames out, in pieces
 * of any size. It differs in one point that a cursor needs: a frame's `id` is the one that stood in that very
 * frame, or null.
 */

export interface Frame {
  id: string | null;
  event: string;
  data: string;
  retry: number | null;
}

const blank = (): Frame => ({ id: null, event: 'message', data: '', retry: null });

export class SseParser {
  private rest = '';
  private frame = blank();
  private lines: string[] = [];
  private begun = false;

  /** Takes the next piece of text; returns the frames that it completes. */
  push(text: string): Frame[] {
    this.rest += this.begun ? text : text.replace(/^\uFEFF/, '');
    this.begun ||= text !== '';
    const frames: Frame[] = [];
    for (let line = this.nextLine(); line !== null; line = this.nextLine()) {
      if (line !== '') this.field(line);
      else frames.push(...this.dispatch());
    }
    return frames;
  }

  private nextLine(): string | null {
    const end = this.rest.search(/[\r\n]/);
    // a CR at the very end may be the first half of CRLF: the next piece tells
    if (end < 0 || (this.rest[end] === '\r' && end === this.rest.length - 1)) return null;
    const line = this.rest.slice(0, end);
    this.rest = this.rest.slice(this.rest.startsWith('\r\n', end) ? end + 2 : end + 1);
    return line;
  }

  private field(line: string): void {
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') this.lines.push(value);
    else if (name === 'event') this.frame.event = value || 'message';
    else if (name === 'id' && !value.includes('\0')) this.frame.id = value;
    else if (name === 'retry' && /^\d+$/.test(value)) this.frame.retry = Number(value);
  }

  /** Frames without data are still told when they carry an id or a retry, since those matter to a cursor. */
  private dispatch(): Frame[] {
    const { frame, lines } = this;
    this.frame = blank();
    this.lines = [];
    if (!lines.length && frame.id === null && frame.retry === null) return [];
    return [{ ...frame, data: lines.join('\n') }];
  }
}
