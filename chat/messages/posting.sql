-- name: lock_conversations
-- In id order. Two batches that lock the same conversations in different orders would wait for each other forever.
select id, last_seq, archived_at is not null, kind = 'channel' and not private, blocked, slow_seconds, read_only
  from conversations where id = any(%s::bigint[]) order by id for no key update

-- name: find_authors
-- The authors that are members now: their role, the time of their last message, and the seq of the message that this
-- client id has already stored. Checked again because it may have changed since the request arrived.
select post.n, m.role, m.posted_at, known.seq
  from unnest(%s::bigint[], %s::bigint[], %s::text[]) with ordinality as post (conversation_id, user_id, client_id, n)
  join memberships m on m.conversation_id = post.conversation_id and m.user_id = post.user_id and m.until is null
  left join messages known on known.conversation_id = post.conversation_id and known.author_id = post.user_id
                          and known.client_id = post.client_id

-- name: write_messages
-- Store the messages, move the conversations' last seq, and move the authors' read marks to their own messages.
with written as (
insert into messages (conversation_id, seq, position, author_id, client_id, body, created_at, reply_to, thread, type, data)
select conversation_id, seq, position, author_id, client_id, body, created_at, nullif(reply_to, 0), nullif(thread, 0),
       type, data
  from unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::timestamptz[],
              %s::bigint[], %s::bigint[], %s::text[], %s::text[])
       as new (conversation_id, seq, position, author_id, client_id, body, created_at, reply_to, thread, type, data)),
counted as (
update conversations c set last_seq = new.seq from unnest(%s::bigint[], %s::bigint[]) as new (id, seq) where c.id = new.id)
update memberships m set read_seq = new.seq, receipt_seq = new.seq, posted_at = %s
  from unnest(%s::bigint[], %s::bigint[], %s::bigint[]) as new (conversation_id, user_id, seq)
 where m.conversation_id = new.conversation_id and m.user_id = new.user_id and m.until is null and m.read_seq < new.seq

-- name: read_roles
-- A user's roles in some conversations.
select conversation_id, role from memberships where user_id = %s and conversation_id = any(%s::bigint[]) and until is null
