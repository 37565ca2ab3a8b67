-- name: read_ends
select id, last_seq from conversations where id = any(%s) order by id

-- name: read_head
select position from log_head

-- name: copy_messages
copy messages (conversation_id, seq, position, author_id, client_id, body, created_at) from stdin

-- name: copy_documents
copy search_documents (conversation_id, seq, position, said_at, vector) from stdin

-- name: move_ends
update conversations c set last_seq = new.seq from unnest(%s::bigint[], %s::bigint[]) as new (id, seq) where c.id = new.id

-- name: move_head
-- Whoever was anywhere before reads the snapshot again: of what is filled in there are no entries.
update log_head set position = %s, floor = %s

-- name: move_progress
update search_state set position = %s, conversation_id = null, seq = null

-- name: drop_index
drop index if exists search_documents_vector

-- name: spare_no_memory
set maintenance_work_mem = '1GB'

-- name: build_index
-- As the migration made it.
create index if not exists search_documents_vector on search_documents using gin (vector) with (gin_pending_list_limit = 512)

-- name: tidy_messages
vacuum (analyze) messages

-- name: tidy_documents
vacuum (analyze) search_documents

-- name: tidy_conversations
vacuum (analyze) conversations

-- name: settle_people
-- Unless somebody is there already.
insert into users (name, display_name, password_hash)
select case n when 1 then 'ana' when 2 then 'ben' else 'p' || n end, 'Person ' || n, ''
  from generate_series(1, %(people)s::integer) as n where not exists (select from users)

-- name: settle_rooms
-- Everybody is in all of them but the closed ones.
with made as (
    insert into conversations (kind, name, private)
    select 'channel', name, true
      from (values ('busy'), ('quiet'), ('calm'), ('silent')) as few (name)
     where not exists (select from conversations)
     union all
    select 'channel', 'room' || n, true from generate_series(0, %(rooms)s::integer - 1) as n
     where not exists (select from conversations)
     union all
    select 'channel', 'closed' || n, true from generate_series(0, %(closed)s::integer - 1) as n
     where not exists (select from conversations)
    returning id, name)
insert into memberships (conversation_id, user_id, since)
select made.id, u.id, 0 from made cross join users u where made.name not like 'closed%%'

-- name: read_rooms
select name, id from conversations

-- name: read_end
select last_seq from conversations where id = %s

-- name: log_in
insert into sessions (user_id, token_hash, device, expires_at) values (%s, %s, 'bench', now() + interval '1 day')
