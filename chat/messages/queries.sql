-- name: lock_conversations
-- In id order: two batches that share conversations in another order would wait for each other for ever.
select id, last_seq, archived_at is not null from conversations where id = any(%s) order by id for no key update

-- name: current_members
-- Who of the authors is a member now; what was true when the request came in may not be any more.
select asked.n
  from unnest(%s::bigint[], %s::bigint[]) with ordinality as asked (conversation_id, user_id, n)
 where exists (select from memberships m
                where m.conversation_id = asked.conversation_id and m.user_id = asked.user_id and m.until is null)

-- name: known_messages
-- The messages that these client ids have made already.
select asked.n, known.*
  from unnest(%s::bigint[], %s::bigint[], %s::text[]) with ordinality as asked (conversation_id, author_id, client_id, n)
 cross join lateral (
       select m.conversation_id, m.seq, m.author_id, m.body, m.client_id, m.created_at, m.edited_at,
              m.deleted_at is not null
         from messages m
        where m.conversation_id = asked.conversation_id and m.author_id = asked.author_id
          and m.client_id = asked.client_id) known

-- name: insert_messages
insert into messages (conversation_id, seq, position, author_id, client_id, body, created_at)
select *, %s from unnest(%b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %s::text[], %s::text[])

-- name: move_last_seq
update conversations c set last_seq = new.seq from unnest(%s::bigint[], %s::bigint[]) as new (id, seq) where c.id = new.id

-- name: move_read_marks
-- Who writes has read what is above: his mark goes to his own message.
update memberships m set read_seq = new.seq
  from unnest(%s::bigint[], %s::bigint[], %s::bigint[]) as new (conversation_id, user_id, seq)
 where m.conversation_id = new.conversation_id and m.user_id = new.user_id and m.until is null and m.read_seq < new.seq
