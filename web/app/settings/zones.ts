/** Time zones as browsers know them. */

export function allZones(): string[] {
  return ['UTC', ...Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC')];
}

export function ownZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** The time there; nothing for a zone that this browser does not know. */
export function localTime(zone: string, now: Date): string {
  try {
    const options: Intl.DateTimeFormatOptions = { weekday: 'short', hour: 'numeric', minute: '2-digit', timeZone: zone };
    return new Intl.DateTimeFormat(undefined, options).format(now);
  } catch {
    return '';
  }
}
