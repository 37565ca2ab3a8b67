/** The sections of the list of conversations. Pure. */
import type { Conversation } from '../../client';

export interface Sections {
  channels: Conversation[];
  direct: Conversation[];
}

/** Divide the conversations into channels and direct messages (groups included). Keep their order. */
export function sections(sorted: Conversation[]): Sections {
  return {
    channels: sorted.filter((one) => one.kind === 'channel'),
    direct: sorted.filter((one) => one.kind !== 'channel'),
  };
}
