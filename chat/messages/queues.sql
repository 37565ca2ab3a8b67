-- name: find_authors
-- Users by their ids, and by the ids of another system.
select id, external_id, disabled_at is not null from users where id = any(%s::bigint[]) or external_id = any(%s::text[])

-- name: find_conversations
-- Conversations by the ids of another system.
select external_id, id from conversations where external_id = any(%s::text[])
