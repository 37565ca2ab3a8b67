-- name: known_messages
-- Which client ids have made a message already, and which one.
select asked.n, m.conversation_id, m.seq
  from unnest(%s::bigint[], %s::bigint[], %s::text[]) with ordinality as asked (conversation_id, author_id, client_id, n)
  join messages m on m.conversation_id = asked.conversation_id and m.author_id = asked.author_id
                 and m.client_id = asked.client_id

-- name: insert_messages
insert into messages (conversation_id, seq, position, author_id, client_id, body, created_at, edited_at, deleted_at,
                      reply_to, thread, reactions, mentions, mentions_all)
select conversation_id, seq, position, author_id, client_id, body, created_at, edited_at, deleted_at,
       nullif(reply_to, 0), nullif(thread, 0), nullif(reactions, '')::jsonb, nullif(mentions, '')::bigint[],
       nullif(mentions_all, '')
  from unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::timestamptz[],
              %s::timestamptz[], %s::timestamptz[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[])
       as new (conversation_id, seq, position, author_id, client_id, body, created_at, edited_at, deleted_at,
               reply_to, thread, reactions, mentions, mentions_all)

-- name: insert_reactions
insert into reactions (conversation_id, seq, emoji, since, users)
select conversation_id, seq, emoji, since, users::bigint[]
  from unnest(%s::bigint[], %s::bigint[], %s::text[], %s::bigint[], %s::text[])
       as new (conversation_id, seq, emoji, since, users)

-- name: insert_edits
insert into message_edits (conversation_id, seq, number, body, user_id, at)
select * from unnest(%s::bigint[], %s::bigint[], %s::integer[], %s::text[], %s::bigint[], %s::timestamptz[])

-- name: move_last_seq
update conversations c set last_seq = new.seq from unnest(%s::bigint[], %s::bigint[]) as new (id, seq) where c.id = new.id

-- name: read_everything
-- What comes in counts as read by those who are in already, and with it what stood before.
update memberships m set read_seq = new.seq from unnest(%s::bigint[], %s::bigint[]) as new (conversation_id, seq)
 where m.conversation_id = new.conversation_id and m.until is null and m.read_seq < new.seq

-- name: describe_conversations
select id, kind, name, topic, private, archived_at is not null, last_seq, slow_seconds, read_only, blocked
  from conversations where id = any(%s) order by id
