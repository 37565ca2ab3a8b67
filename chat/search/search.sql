-- name: read_scope
-- The head of the log; whether all messages have the keys of all windows; whether some have the terms of before migration
-- 0170; the stretch of the log with the days asked for; their beginning and end; the ids of `names`; and the
-- conversations to search. These are the user's own, or, where conversations are named, those of
-- the named ones that the user may read, which include public channels. `only` has those of a limited API key.
with bounds (after, before) as (
    select greatest(%(after)s::timestamptz, %(after_day)s::date::timestamp at time zone zone.name),
           least(%(before)s::timestamptz, %(before_day)s::date::timestamp at time zone zone.name)
      from coalesce(%(zone)s::text, (select nullif(time_zone, '') from users where id = %(user)s), 'UTC') as zone (name)),
     readable as (
    select c.id, c.last_seq
      from memberships m join conversations c on c.id = m.conversation_id
     where m.user_id = %(user)s and m.until is null
       and (not %(named)s or c.id = any(%(ids)s::bigint[]) or c.kind = 'channel' and c.look_key = any(%(places)s::text[]))
     union
    select c.id, c.last_seq from conversations c
     where c.id = any(%(ids)s::bigint[]) and c.kind = 'channel' and not c.private
     union
    select c.id, c.last_seq from conversations c
     where c.look_key = any(%(places)s::text[]) and c.kind = 'channel' and not c.private and c.archived_at is null),
     places as (select c.id, c.last_seq from readable c where %(only)s::bigint[] is null or c.id = any(%(only)s::bigint[]))
select head.position, state.seq is null or state.terms_only, state.seq is not null, days.first, days.last,
       bounds.after, bounds.before,
       (select coalesce(array_agg(u.id), '{}') from users u where lower(u.name) = any(%(names)s)),
       (select coalesce(array_agg(id), '{}') from places), (select coalesce(sum(last_seq), 0)::bigint from places)
  from log_head head, search_state state, bounds, lateral
       (select min(first), max(last) from search_days
         where %(timed)s and day >= (bounds.after at time zone 'UTC')::date
           and day <= ((bounds.before - interval '1 microsecond') at time zone 'UTC')::date) as days (first, last)

-- name: find_newest
-- The matches among the newest messages of one conversation, checked one by one until the page is full. For a common word
-- this is faster than the index, whose list also has the messages of all other conversations.
select d.seq, d.conversation_id, d.seq
  from search_documents d
 where d.conversation_id = (%(conversations)s::bigint[])[1] and d.seq < %(begin)s and d.seq >= %(begin)s::bigint - %(newest)s
   and ts_match_vq(d.vector, %(what)s::tsquery) and ts_match_vq(d.vector, %(when)s::tsquery)
   and (%(rest)s = '' or ts_match_vq(d.vector, %(rest)s::tsquery))
   and d.said_at >= %(after)s and d.said_at < %(before)s
 order by d.seq desc limit %(limit)s

-- name: find_places
-- The matches below a place, through windows.
select place, conversation_id, seq
  from search_places(%(own)s, %(prefix)s, %(whole)s, %(begin)s, %(first)s, %(width)s, %(widest)s,
                     %(what)s, %(where)s, %(when)s, nullif(%(rest)s, '')::tsquery, %(after)s, %(before)s,
                     %(conversations)s, %(limit)s)
