/** Runs of messages: what pages and entries make of them. Pure. */
import type { Message, Page } from './types';

/** A run of messages without a hole, ascending; it reaches the newest unless `hasAfter`. */
export interface Timeline {
  messages: Message[];
  hasBefore: boolean;
  hasAfter: boolean;
}

/** What a page shows; messages up to `newest` are known to exist, though they may have come after it was read. */
export function timelineOf(page: Page, newest: number): Timeline {
  const hasAfter = page.has_after || (page.messages.at(-1)?.seq ?? 0) < newest;
  return { messages: page.messages, hasBefore: page.has_before, hasAfter };
}

/**
 * Two overlapping or adjoining runs as one. Beyond a hole the newer run stands alone: the fresh one, or the
 * old one when an older page came late, after what it adjoined was trimmed.
 */
export function join(old: Timeline, fresh: Timeline): Timeline {
  const [from, to] = [old.messages[0]?.seq, lastOf(old)];
  const [first, last] = [fresh.messages[0]?.seq, lastOf(fresh)];
  if (from === undefined || to === undefined) return fresh;
  if (first === undefined || last === undefined || last < from - 1) return old;
  if (first > to + 1) return fresh;
  return merge(old, fresh);
}

/** Two runs of which the fresh one is known to adjoin the old one, whatever their numbers say: replies have gaps. */
export function merge(old: Timeline, fresh: Timeline): Timeline {
  const [from, to] = [old.messages[0]?.seq ?? Infinity, lastOf(old) ?? 0];
  const [first, last] = [fresh.messages[0]?.seq ?? Infinity, lastOf(fresh) ?? 0];
  const before = fresh.messages.filter((message) => message.seq < from);
  const after = fresh.messages.filter((message) => message.seq > to && message.seq > from);
  return {
    messages: [...before, ...old.messages, ...after],
    hasBefore: first <= from ? fresh.hasBefore : old.hasBefore,
    hasAfter: last >= to ? fresh.hasAfter : old.hasAfter,
  };
}

/** A new message at its end; repeated ones change nothing, one after a hole ends its claim to reach the newest. */
export function append(timeline: Timeline, message: Message): Timeline {
  const last = lastOf(timeline);
  if (timeline.hasAfter || (last !== undefined && message.seq <= last)) return timeline;
  if (message.seq !== (last ?? 0) + 1) return { ...timeline, hasAfter: true };
  return { ...timeline, messages: [...timeline.messages, message] };
}

/** A new reply at the end of its thread, whose numbers have gaps. */
export function appendReply(timeline: Timeline, reply: Message): Timeline {
  if (timeline.hasAfter || reply.seq <= (lastOf(timeline) ?? 0)) return timeline;
  return { ...timeline, messages: [...timeline.messages, reply] };
}

/** The same run with one message changed. */
export function change(timeline: Timeline, seq: number, how: (old: Message) => Message): Timeline {
  const at = timeline.messages.findIndex((message) => message.seq === seq);
  const old = timeline.messages[at];
  if (!old) return timeline;
  const next = how(old);
  return next === old ? timeline : { ...timeline, messages: timeline.messages.with(at, next) };
}

export const lastOf = (timeline: Timeline): number | undefined => timeline.messages.at(-1)?.seq;
