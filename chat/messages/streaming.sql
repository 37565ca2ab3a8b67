-- name: start_messages
-- New messages whose text is going to be appended. Their rows exist already.
with started as (
insert into streamed_messages (conversation_id, seq, author_id, session_id, length, last_append, compacted)
select conversation_id, seq, author_id, nullif(session_id, 0), length, position, position
  from unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::integer[], %s::bigint[])
       as new (conversation_id, seq, author_id, session_id, length, position)
returning conversation_id, seq)
update messages m set streamed = 'running' from started
 where m.conversation_id = started.conversation_id and m.seq = started.seq

-- name: lock_conversations
-- In id order, as posts lock them.
select from conversations where id = any(%s::bigint[]) order by id for no key update

-- name: find_messages
-- The messages that an append names: the author, whether its user is a member and may read it, whether the conversation
-- takes messages, and the length and the appends so far, which are null for a message that is not streamed any more.
select wanted.n, m.author_id, c.kind = 'channel' and not c.private,
       exists (select from memberships s
                where s.conversation_id = c.id and s.user_id = wanted.user_id and s.until is null),
       c.archived_at is not null, c.blocked, r.length, r.appends
  from unnest(%s::bigint[], %s::bigint[], %s::bigint[]) with ordinality as wanted (conversation_id, seq, user_id, n)
  join conversations c on c.id = wanted.conversation_id
  join messages m on m.conversation_id = wanted.conversation_id and m.seq = wanted.seq
  left join streamed_messages r on r.conversation_id = m.conversation_id and r.seq = m.seq and m.streamed = 'running'

-- name: read_texts
select m.conversation_id, m.seq, m.body from unnest(%s::bigint[], %s::bigint[]) as wanted (conversation_id, seq)
  join displayed_messages m on m.conversation_id = wanted.conversation_id and m.seq = wanted.seq

-- name: write_texts
-- Store the texts; note the length, the last entry, and that the authors are still there.
with written as (
insert into streamed_texts (conversation_id, seq, at, body)
select conversation_id, seq, at, body
  from unnest(%(conversations)s::bigint[], %(seqs)s::bigint[], %(starts)s::integer[], %(bodies)s::text[])
       as new (conversation_id, seq, at, body) where body <> '')
update streamed_messages r
   set length = new.length, session_id = new.session_id, touched_at = clock_timestamp(),
       appends = r.appends + (new.position > 0)::integer,
       last_append = case when new.position > 0 then new.position else r.last_append end
  from unnest(%(conversations)s::bigint[], %(seqs)s::bigint[], %(lengths)s::integer[], %(sessions)s::bigint[],
              %(positions)s::bigint[]) as new (conversation_id, seq, length, session_id, position)
 where r.conversation_id = new.conversation_id and r.seq = new.seq
