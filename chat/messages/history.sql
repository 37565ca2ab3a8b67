-- name: read_messages
-- These messages, as all readers see them.
select m.* from unnest(%s::bigint[], %s::bigint[]) as wanted (conversation_id, seq)
  join displayed_messages m on m.conversation_id = wanted.conversation_id and m.seq = wanted.seq

-- name: read_page
-- Up to `down` messages below one seq and up to `up` above another, and the last seq. No row for users who may not read
-- the conversation.
with seen as (
    select c.last_seq from conversations c
     where c.id = %(conversation)s
       and (c.kind = 'channel' and not c.private
            or exists (select from memberships m
                        where m.conversation_id = c.id and m.user_id = %(user)s and m.until is null)))
select seen.last_seq, page.*
  from seen left join lateral (
       (select * from displayed_messages m where m.conversation_id = %(conversation)s and m.seq < %(below)s
         order by m.seq desc limit %(down)s)
        union all
       (select * from displayed_messages m where m.conversation_id = %(conversation)s and m.seq > %(above)s
         order by m.seq limit %(up)s)) page on true
 order by page.seq

-- name: read_typed
-- A page as in `read_page`, of the messages of one type; and the first and last seq of these.
with seen as (
    select (select min(t.seq) from messages t where t.conversation_id = c.id and t.type = %(type)s) as first,
           (select max(t.seq) from messages t where t.conversation_id = c.id and t.type = %(type)s) as last
      from conversations c
     where c.id = %(conversation)s
       and (c.kind = 'channel' and not c.private
            or exists (select from memberships m
                        where m.conversation_id = c.id and m.user_id = %(user)s and m.until is null)))
select seen.first, seen.last, page.*
  from seen left join lateral (
       (select * from displayed_messages m
         where m.conversation_id = %(conversation)s and m.type = %(type)s and m.seq < %(below)s
         order by m.seq desc limit %(down)s)
        union all
       (select * from displayed_messages m
         where m.conversation_id = %(conversation)s and m.type = %(type)s and m.seq > %(above)s
         order by m.seq limit %(up)s)) page on true
 order by page.seq

-- name: read_cards
-- The messages at these places, and the originals of those that forward one, as far as the user may read them: by the same
-- rule as pages. Only members or, in a public channel, all users may ask for the original of a message.
with may as (
    select c.id, c.name, c.kind from conversations c
     where c.id in (select unnest(%(conversations)s::bigint[])
                     union all
                    select f.from_conversation_id from forwards f
                      join unnest(%(of)s::bigint[], %(seqs_of)s::bigint[]) as w (conversation_id, seq)
                        on f.conversation_id = w.conversation_id and f.seq = w.seq
                     union all
                    select unnest(%(of)s::bigint[]))
       and (%(only)s::bigint[] is null or c.id = any(%(only)s::bigint[]))
       and (c.kind = 'channel' and not c.private
            or exists (select from memberships s
                        where s.conversation_id = c.id and s.user_id = %(user)s and s.until is null))),
wanted as (
    select w.conversation_id, w.seq, null::bigint as of, null::bigint as seq_of
      from unnest(%(conversations)s::bigint[], %(seqs)s::bigint[]) as w (conversation_id, seq)
     union all
    select f.from_conversation_id, f.from_seq, f.conversation_id, f.seq
      from unnest(%(of)s::bigint[], %(seqs_of)s::bigint[]) as w (conversation_id, seq)
      join may on may.id = w.conversation_id
      join forwards f on f.conversation_id = w.conversation_id and f.seq = w.seq)
select w.of, w.seq_of, w.conversation_id, w.seq, m.author_id, m.created_at, left(m.body, %(most)s),
       coalesce(jsonb_array_length(m.files), 0), case when may.kind = 'channel' then may.name end
  from wanted w
  join may on may.id = w.conversation_id
  join displayed_messages m on m.conversation_id = w.conversation_id and m.seq = w.seq
 where not m.deleted
