/** The sound of a notification, made by the browser. The choice belongs to this device. */
import { keep, kept } from '../local-storage';
import { isQuietNow, type Quiet } from './quiet-hours';

/** Tones of each sound: frequency in Hz, start and length in seconds. */
const TONES = {
  none: [],
  chime: [
    [880, 0, 0.35],
    [1318.5, 0.12, 0.5],
  ],
  drop: [[520, 0, 0.18]],
  knock: [
    [180, 0, 0.08],
    [180, 0.14, 0.08],
  ],
} as const;
const CHOSEN = 'tandem.notifications.sound';
const AT_NIGHT = 'tandem.notifications.sound.quiet';
const LOUDNESS = 0.15;
/** Milliseconds in which several notifications make one sound. */
const PAUSE = 2_000;

export type SoundName = keyof typeof TONES;
export const soundNames = Object.keys(TONES) as SoundName[];

class Sound {
  name = $state<SoundName>(keptName());
  /** True if it is heard in quiet hours too. */
  atNight = $state(kept('device', AT_NIGHT) === 'yes');
  private context: AudioContext | null = null;
  private last = -PAUSE;

  choose(name: SoundName): void {
    this.name = name;
    keep('device', CHOSEN, name);
    this.play();
  }

  setAtNight(on: boolean): void {
    this.atNight = on;
    keep('device', AT_NIGHT, on ? 'yes' : '');
  }

  /** Play it for a notification, unless it is a quiet hour or one was heard just now. */
  notify(quiet: Quiet | null, now = new Date()): void {
    if ((isQuietNow(quiet, now) && !this.atNight) || now.getTime() - this.last < PAUSE) return;
    this.last = now.getTime();
    this.play();
  }

  /** Play it now. Browsers are silent until the user has clicked or typed on the page. */
  private play(): void {
    const tones = TONES[this.name];
    if (!tones.length || !('AudioContext' in globalThis)) return;
    const context = (this.context ??= new AudioContext());
    void context.resume().then(() => {
      for (const [frequency, start, length] of tones) beep(context, frequency, context.currentTime + start, length);
    });
  }
}

function beep(context: AudioContext, frequency: number, at: number, length: number): void {
  const [tone, volume] = [new OscillatorNode(context, { frequency }), new GainNode(context, { gain: 0 })];
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(LOUDNESS, at + 0.01);
  volume.gain.exponentialRampToValueAtTime(0.001, at + length);
  tone.connect(volume).connect(context.destination);
  tone.start(at);
  tone.stop(at + length);
}

function keptName(): SoundName {
  const name = kept('device', CHOSEN) as SoundName;
  return soundNames.includes(name) ? name : 'chime';
}

export const sound = new Sound();
