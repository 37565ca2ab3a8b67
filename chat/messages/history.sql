-- name: read_messages
-- These messages, as all readers see them.
select m.* from unnest(%s::bigint[], %s::bigint[]) as wanted (conversation_id, seq)
  join current_messages m on m.conversation_id = wanted.conversation_id and m.seq = wanted.seq

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
       (select * from current_messages m where m.conversation_id = %(conversation)s and m.seq < %(below)s
         order by m.seq desc limit %(down)s)
        union all
       (select * from current_messages m where m.conversation_id = %(conversation)s and m.seq > %(above)s
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
       (select * from current_messages m
         where m.conversation_id = %(conversation)s and m.type = %(type)s and m.seq < %(below)s
         order by m.seq desc limit %(down)s)
        union all
       (select * from current_messages m
         where m.conversation_id = %(conversation)s and m.type = %(type)s and m.seq > %(above)s
         order by m.seq limit %(up)s)) page on true
 order by page.seq
