/** How the list of conversations is divided. Pure. */
import type { Conversation } from '../../client';

export interface Sections {
  channels: Conversation[];
  direct: Conversation[];
}

/** Channels, and what is between named people; the order in each stays as it was. */
export function sections(sorted: Conversation[]): Sections {
  return {
    channels: sorted.filter((one) => one.kind === 'channel'),
    direct: sorted.filter((one) => one.kind !== 'channel'),
  };
}
