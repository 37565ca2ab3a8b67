/** How long one may want to hear nothing. Pure: the present is an argument. */

const HOUR = 3_600_000;

export const muteEnds: { words: string; until: (now: Date) => string }[] = [
  { words: 'For 1 hour', until: (now) => new Date(now.getTime() + HOUR).toISOString() },
  { words: 'Until tomorrow', until: (now) => morning(now, 1) },
  { words: 'For a week', until: (now) => morning(now, 7) },
  { words: 'Until I unmute it', until: (now) => morning(now, 36_500) },
];

/** Eight in the morning, so many days from now. */
function morning(now: Date, days: number): string {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, 8).toISOString();
}
