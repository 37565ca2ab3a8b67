/**
 * What takes the place of a stream that is held back on the way: long-polls, one after the other, and beside
 * them, more and more seldom, a probe whether a stream comes through again. Nothing waits for a probe.
 */
import type { Hearing } from './stream-receiver';
import { type End, pollOnce } from './stream-connection';
import type { Timings } from './timings';

export interface PollingOptions {
  url: string;
  headers: Record<string, string>;
  timings: Timings;
  hearing: Hearing;
  /** Opens a stream; calls back as soon as it is ready. */
  read(signal: AbortSignal, onReady: () => void): Promise<End>;
  /** It works. */
  polled(): void;
  /** The stream comes through again. */
  healed(): void;
}

/** Milliseconds between two probes at most. */
const SELDOM = 600_000;

export class Polling {
  /** Milliseconds to the next probe; only a stream that has proved whole lets it begin anew. */
  private probeEvery: number;

  constructor(private readonly options: PollingOptions) {
    this.probeEvery = options.timings.probeAfter;
  }

  /** A stream has proved whole. */
  calm(): void {
    this.probeEvery = this.options.timings.probeAfter;
  }

  /** Polls until that fails or a stream is there again; how either ended. */
  async run(signal: AbortSignal): Promise<End> {
    const polling = new AbortController();
    let healed: Promise<End> | null = null;
    let probing = false;
    let probeAt = Date.now() + this.probeEvery;
    const probe = async () => {
      probing = true;
      const stream = this.options.read(signal, () => {
        healed = stream;
        this.options.healed();
        polling.abort();
      });
      this.probeEvery = Math.min(this.probeEvery * 2, SELDOM);
      await stream;
      [probing, probeAt] = [false, Date.now() + this.probeEvery];
    };
    const both = AbortSignal.any([signal, polling.signal]);
    // the first is short, so that it soon shows whether polling works at all
    for (let seconds = 1; ; seconds = this.until(probing ? Infinity : probeAt)) {
      const end = await this.poll(seconds, both);
      if (healed) return healed;
      if (end) return end;
      if (!probing && Date.now() >= probeAt) void probe();
    }
  }

  /** How long the next poll may wait, in seconds: a probe that is due is not put off by a quiet poll. */
  private until(moment: number): number {
    return Math.min(this.options.timings.poll, Math.max(1, Math.ceil((moment - Date.now()) / 1000)));
  }

  /** One long-poll of so many seconds. */
  private async poll(seconds: number, signal: AbortSignal): Promise<End | undefined> {
    const { hearing, headers } = this.options;
    const url = `${this.options.url}?poll=${seconds}&after=${encodeURIComponent(hearing.cursor ?? '')}`;
    const answer = await pollOnce({ url, headers, signal }, (seconds + 10) * 1000, hearing.listener());
    if (typeof answer !== 'string') return answer;
    const end = hearing.pass(answer);
    if (end) return end;
    hearing.heardAt = Date.now();
    this.options.polled();
    return undefined;
  }
}
