/** Hours of the day in which a device shows no notifications. Pure. */

const DAY = 24 * 60;

/** Hours of the day as texts like `22:00`, in local time. */
export interface Quiet {
  from: string;
  to: string;
}

/** Return true if it is a quiet hour, local time. They may span midnight. */
export function isQuietNow(quiet: Quiet | null, now: Date): boolean {
  if (!quiet) return false;
  const time = `${now.getHours()}`.padStart(2, '0') + ':' + `${now.getMinutes()}`.padStart(2, '0');
  return quiet.from <= quiet.to ? time >= quiet.from && time < quiet.to : time >= quiet.from || time < quiet.to;
}

/** Return quiet hours in minutes of the day in UTC, as the server compares them. `offset`: minutes behind UTC. */
export function inUtc(quiet: Quiet | null, offset = new Date().getTimezoneOffset()): { begins: number; ends: number } | null {
  if (!quiet) return null;
  const minutes = (time: string) => {
    const [hour = 0, minute = 0] = time.split(':').map(Number);
    return (((hour * 60 + minute + offset) % DAY) + DAY) % DAY;
  };
  return { begins: minutes(quiet.from), ends: minutes(quiet.to) };
}
