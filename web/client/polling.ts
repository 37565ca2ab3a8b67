/**
 * What takes the place of a stream that is held back on the way: long-polls, one after the other, and beside
 * them, more and more seldom, a probe whether a stream comes through again. Nothing waits for a probe.
 */
import type { StreamReceiver } from './stream-receiver';
import { type ConnectionEnd, pollOnce } from './stream-connection';
import type { Timings } from './timings';

export interface PollingOptions {
  url: string;
  headers: Record<string, string>;
  timings: Timings;
  receiver: StreamReceiver;
  /** Opens a stream; calls back as soon as it is ready. */
  openStream(signal: AbortSignal, onReady: () => void): Promise<ConnectionEnd>;
  /** It works. */
  onPolled(): void;
  /** The stream comes through again. */
  onRecovered(): void;
}

/** Milliseconds between two probes at most. */
const LONGEST_PROBE_INTERVAL = 600_000;

export class Polling {
  /** Milliseconds to the next probe; only a stream that has proved whole lets it begin anew. */
  private probeInterval: number;

  constructor(private readonly options: PollingOptions) {
    this.probeInterval = options.timings.probeAfter;
  }

  /** A stream has proved whole. */
  resetProbes(): void {
    this.probeInterval = this.options.timings.probeAfter;
  }

  /** Polls until that fails or a stream is there again; how either ended. */
  async run(signal: AbortSignal): Promise<ConnectionEnd> {
    const polling = new AbortController();
    let recovered: Promise<ConnectionEnd> | null = null;
    let probing = false;
    let probeAt = Date.now() + this.probeInterval;
    const probe = async () => {
      probing = true;
      const stream = this.options.openStream(signal, () => {
        recovered = stream;
        this.options.onRecovered();
        polling.abort();
      });
      this.probeInterval = Math.min(this.probeInterval * 2, LONGEST_PROBE_INTERVAL);
      await stream;
      [probing, probeAt] = [false, Date.now() + this.probeInterval];
    };
    const either = AbortSignal.any([signal, polling.signal]);
    // the first is short, so that it soon shows whether polling works at all
    for (let seconds = 1; ; seconds = this.secondsUntil(probing ? Infinity : probeAt)) {
      const end = await this.poll(seconds, either);
      if (recovered) return recovered;
      if (end) return end;
      if (!probing && Date.now() >= probeAt) void probe();
    }
  }

  /** How long the next poll may wait, in seconds: a probe that is due is not put off by a quiet poll. */
  private secondsUntil(moment: number): number {
    return Math.min(this.options.timings.poll, Math.max(1, Math.ceil((moment - Date.now()) / 1000)));
  }

  /** One long-poll of so many seconds. */
  private async poll(seconds: number, signal: AbortSignal): Promise<ConnectionEnd | undefined> {
    const { receiver, headers } = this.options;
    const url = `${this.options.url}?poll=${seconds}&after=${encodeURIComponent(receiver.cursor ?? '')}`;
    const answer = await pollOnce({ url, headers, signal }, (seconds + 10) * 1000, receiver.handler());
    if (typeof answer !== 'string') return answer;
    const end = receiver.advance(answer);
    if (end) return end;
    receiver.lastReceivedAt = Date.now();
    this.options.onPolled();
    return undefined;
  }
}
