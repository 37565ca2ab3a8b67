/** Hours of the day in which a device shows no notifications. Pure. */

const DAY = 24 * 60;

/** Hours of the day as texts like `22:00`, in local time. */
export interface Quiet {
  from: string;
  to: string;
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
