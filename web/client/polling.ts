/**
 * The fallback for a stream that is held back on the way: one long-poll after the other. A probe checks at growing
 * intervals whether a stream gets through again. Polling does not wait for a probe.
 */
import type { StreamReceiver } from './stream-receiver';
import { type ConnectionEnd, pollOnce } from './stream-connection';
import type { Timings } from './timings';

export interface PollingOptions {
  url: string;
  headers(): Record<string, string>;
  timings: Timings;
  receiver: StreamReceiver;
  /** Open a stream; call `onReady` as soon as it is ready. */
  openStream(signal: AbortSignal, onReady: () => void): Promise<ConnectionEnd>;
  /** Called after each successful poll. */
  onPolled(): void;
  /** Called when a probe's stream is ready. */
  onRecovered(): void;
}

/** The longest interval between two probes, in milliseconds. */
const LONGEST_PROBE_INTERVAL = 600_000;

export class Polling {
  /** Milliseconds until the next probe. Only a stream that beats resets it. */
  private probeInterval: number;

  constructor(private readonly options: PollingOptions) {
    this.probeInterval = options.timings.probeAfter;
  }

  /** Reset the probe interval, because a stream works again. */
  resetProbes(): void {
    this.probeInterval = this.options.timings.probeAfter;
  }

  /** Poll until a poll fails or a stream is ready again. Return how the poll or that stream ended. */
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
    // the first poll is short, to show soon whether polling works at all
    for (let seconds = 1; ; seconds = this.secondsUntil(probing ? Infinity : probeAt)) {
      const end = await this.poll(seconds, either);
      if (recovered) return recovered;
      if (end) return end;
      if (!probing && Date.now() >= probeAt) void probe();
    }
  }

  /** Return how many seconds the next poll may wait. A quiet poll must not delay a probe that is due. */
  private secondsUntil(moment: number): number {
    return Math.min(this.options.timings.poll, Math.max(1, Math.ceil((moment - Date.now()) / 1000)));
  }

  /** Send one long-poll that waits up to `seconds`. */
  private async poll(seconds: number, signal: AbortSignal): Promise<ConnectionEnd | undefined> {
    const { receiver } = this.options;
    const url = `${this.options.url}?poll=${seconds}&after=${encodeURIComponent(receiver.cursor ?? '')}`;
    const answer = await pollOnce({ url, headers: () => this.options.headers(), signal }, (seconds + 10) * 1000, receiver.handler());
    if (typeof answer !== 'string') return answer;
    const end = receiver.advance(answer);
    if (end) return end;
    receiver.lastReceivedAt = Date.now();
    this.options.onPolled();
    return undefined;
  }
}
