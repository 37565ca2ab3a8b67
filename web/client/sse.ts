/**
 * An incremental parser of text/event-stream, after the WHATWG standard. Pure: text in pieces of any size goes in,
 * frames come out, in linear time. It differs in one point that a cursor needs: a frame's `id` is the one in that
 * same frame, or null.
 */

export interface Frame {
  id: string | null;
  event: string;
  data: string;
  retry: number | null;
}

const emptyFrame = (): Frame => ({ id: null, event: 'message', data: '', retry: null });

export class SseParser {
  /** The unfinished line, in the pieces in which it arrived. */
  private pieces: string[] = [];
  /** A CR at the very end can be the first half of CRLF. The next piece decides. */
  private pendingCr = '';
  private frame = emptyFrame();
  private dataLines: string[] = [];
  private started = false;

  /** Parse the next piece of text and return the frames that it completes. */
  push(text: string): Frame[] {
    const frames: Frame[] = [];
    for (const line of this.linesOf(text)) {
      if (line !== '') this.field(line);
      else frames.push(...this.dispatch());
    }
    return frames;
  }

  /** Yield the lines that this piece completes. Only the new piece is searched, never the text before it. */
  private *linesOf(text: string): Generator<string> {
    const piece = this.pendingCr + (this.started ? text : text.replace(/^\uFEFF/, ''));
    this.started ||= text !== '';
    this.pendingCr = piece.endsWith('\r') ? '\r' : '';
    const whole = piece.slice(0, piece.length - this.pendingCr.length);
    let at = 0;
    for (const end of whole.matchAll(/\r\n|\r|\n/g)) {
      yield this.pieces.join('') + whole.slice(at, end.index);
      this.pieces = [];
      at = end.index + end[0].length;
    }
    if (at < whole.length) this.pieces.push(whole.slice(at));
  }

  private field(line: string): void {
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') this.dataLines.push(value);
    else if (name === 'event') this.frame.event = value || 'message';
    else if (name === 'id' && !value.includes('\0')) this.frame.id = value;
    else if (name === 'retry' && /^\d+$/.test(value)) this.frame.retry = Number(value);
  }

  /** Return the finished frame. One without data counts if it has an id or a retry: the stream needs both. */
  private dispatch(): Frame[] {
    const { frame, dataLines } = this;
    this.frame = emptyFrame();
    this.dataLines = [];
    if (!dataLines.length && frame.id === null && frame.retry === null) return [];
    return [{ ...frame, data: dataLines.join('\n') }];
  }
}
