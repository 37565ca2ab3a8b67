/**
 * An incremental parser of text/event-stream, after the WHATWG standard. Pure: text in, frames out, in pieces
 * of any size, in time linear in the text. It differs in one point that a cursor needs: a frame's `id` is the one
 * that stood in that very frame, or null.
 */

export interface Frame {
  id: string | null;
  event: string;
  data: string;
  retry: number | null;
}

const emptyFrame = (): Frame => ({ id: null, event: 'message', data: '', retry: null });

export class SseParser {
  /** The unfinished line, in the pieces that it came in. */
  private pieces: string[] = [];
  /** A CR at the very end may be the first half of CRLF: the next piece tells. */
  private pendingCr = '';
  private frame = emptyFrame();
  private dataLines: string[] = [];
  private started = false;

  /** Takes the next piece of text; returns the frames that it completes. */
  push(text: string): Frame[] {
    const frames: Frame[] = [];
    for (const line of this.linesOf(text)) {
      if (line !== '') this.field(line);
      else frames.push(...this.dispatch());
    }
    return frames;
  }

  /** The lines that this piece completes. Only the piece is searched, never what came before it. */
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

  /** Frames without data are still told when they carry an id or a retry, since those matter to a cursor. */
  private dispatch(): Frame[] {
    const { frame, dataLines } = this;
    this.frame = emptyFrame();
    this.dataLines = [];
    if (!dataLines.length && frame.id === null && frame.retry === null) return [];
    return [{ ...frame, data: dataLines.join('\n') }];
  }
}
