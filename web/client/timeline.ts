/** Runs of messages, and how pages and entries change them. Pure. */
import type { Message, Page } from './types';

/** A run of messages without a hole, ascending. It reaches the newest message unless `hasAfter`. */
export interface Timeline {
  messages: Message[];
  hasBefore: boolean;
  hasAfter: boolean;
}

/** Return the run of a page. Messages up to `newest` exist, even if they arrived after the page was read. */
export function timelineOf(page: Page, newest: number): Timeline {
  const hasAfter = page.has_after || (page.messages.at(-1)?.seq ?? 0) < newest;
  return { messages: page.messages, hasBefore: page.has_before, hasAfter };
}

/**
 * Join two overlapping or adjoining runs. If there is a hole between them, keep the newer run: usually the fresh
 * one, or the old one if an older page arrived late, after the timeline was trimmed.
 */
export function join(old: Timeline, fresh: Timeline): Timeline {
  const [from, to] = [old.messages[0]?.seq, lastOf(old)];
  const [first, last] = [fresh.messages[0]?.seq, lastOf(fresh)];
  if (from === undefined || to === undefined) return fresh;
  if (first === undefined || last === undefined || last < from - 1) return old;
  if (first > to + 1) return fresh;
  return merge(old, fresh);
}

/** Join two runs that are known to adjoin, whatever their numbers are: the `seq`s of replies have gaps. */
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

/**
 * Append a new message. A repeated one changes nothing; after a hole, the timeline no longer reaches the newest
 * message.
 */
export function append(timeline: Timeline, message: Message): Timeline {
  const last = lastOf(timeline);
  if (timeline.hasAfter || (last !== undefined && message.seq <= last)) return timeline;
  if (message.seq !== (last ?? 0) + 1) return { ...timeline, hasAfter: true };
  return { ...timeline, messages: [...timeline.messages, message] };
}

/** Append a new reply to its thread. The `seq`s of replies have gaps. */
export function appendReply(timeline: Timeline, reply: Message): Timeline {
  if (timeline.hasAfter || reply.seq <= (lastOf(timeline) ?? 0)) return timeline;
  return { ...timeline, messages: [...timeline.messages, reply] };
}

/** Return the same run with one message changed. */
export function change(timeline: Timeline, seq: number, how: (old: Message) => Message): Timeline {
  const at = timeline.messages.findIndex((message) => message.seq === seq);
  const old = timeline.messages[at];
  if (!old) return timeline;
  const next = how(old);
  return next === old ? timeline : { ...timeline, messages: timeline.messages.with(at, next) };
}

export const lastOf = (timeline: Timeline): number | undefined => timeline.messages.at(-1)?.seq;
