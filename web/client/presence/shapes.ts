/** What travels on the presence socket, as the protocol has it. */
import type { Id } from '../types';

export type Status = 'online' | 'away' | 'dnd' | 'offline';
export type Mode = 'online' | 'away' | 'dnd' | 'invisible';

/** What others see of one person. Of two records the one with the higher `version` holds. */
export interface PresenceRecord {
  id: Id;
  status: Status;
  text: string;
  emoji: string;
  until: string | null;
  last_active_at: string | null;
  devices: number;
  version: number;
}

/** What a person has set; it holds until `until`, or until the next. */
export interface Choice {
  mode: Mode;
  text: string;
  emoji: string;
  until: string | null;
}

/** What a person sees of their own presence. */
export interface Own extends Choice {
  id: Id;
  status: Status | 'invisible';
  devices: number;
  version: number;
}

/** What the server says. */
export type Told =
  | { type: 'hello'; node: string; heartbeat: number; you: Own; witness?: string; degraded?: boolean }
  | { type: 'you'; you: Own }
  | { type: 'snapshot' | 'presence'; users: PresenceRecord[] }
  | { type: 'hidden'; users: Id[] }
  | { type: 'typing'; conversation: Id; users: Id[] }
  | { type: 'beat'; witness: string }
  | { type: 'degraded'; on: boolean }
  /** To admins who observe, each second; what it holds is the dashboard's affair. */
  | { type: 'stats'; degraded: boolean; at?: number; [figure: string]: unknown }
  | { type: 'problem'; code: string; detail: string };

/** What a client says. */
export type Signal =
  | { type: 'status'; status: Mode; text?: string; emoji?: string; until?: string }
  | { type: 'active' | 'idle' | 'observe' }
  | { type: 'typing'; conversation: Id; on: boolean }
  | { type: 'watch' | 'unwatch'; users?: Id[]; conversations?: Id[] };

/** A frame's words, or null for what is none. */
export function decodeTold(frame: unknown): Told | null {
  try {
    const told = JSON.parse(String(frame)) as Told | null;
    return typeof told?.type === 'string' ? told : null;
  } catch {
    return null;
  }
}
