/** Time zones that the browser knows. */
import { dateFormat } from '../messages/language';

export function allZones(): string[] {
  return ['UTC', ...Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC')];
}

export function ownZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** Return the local time in a time zone, or an empty string if this browser does not know the zone. */
export function localTime(zone: string, now: Date): string {
  try {
    const options: Intl.DateTimeFormatOptions = { weekday: 'short', hour: 'numeric', minute: '2-digit', timeZone: zone };
    return dateFormat(options)(now);
  } catch {
    return '';
  }
}
