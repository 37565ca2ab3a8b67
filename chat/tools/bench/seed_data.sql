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
-- Cursors from before get a reset: the filled-in messages have no entries.
update log_head set position = %s, floor = %s

-- name: move_progress
update search_state set followed = %s, conversation_id = null, seq = null, terms_only = false

-- name: drop_index
drop index if exists search_documents_vector

-- name: spare_no_memory
set maintenance_work_mem = '1GB'

-- name: build_index
-- The same index that the migration makes.
create index if not exists search_documents_vector on search_documents using gin (vector) with (gin_pending_list_limit = 512)

-- name: tidy_messages
vacuum (analyze) messages

-- name: tidy_documents
vacuum (analyze) search_documents

-- name: tidy_conversations
vacuum (analyze) conversations
