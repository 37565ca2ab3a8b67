-- name: lock_conversation
-- As a post locks it. An archive stays as it is.
select from conversations where id = %s and archived_at is null for no key update

-- name: list_removed
select url from removed_previews where conversation_id = %s and seq = %s

-- name: insert_removed
insert into removed_previews (conversation_id, seq, url) values (%s, %s, %s) on conflict do nothing

-- name: replace_previews
-- The entry that carried the earlier ones is emptied.
with told as (
update log l set frame = '' from messages m
 where m.conversation_id = %(conversation)s and m.seq = %(seq)s and l.position = m.previews_at)
update messages set previews = %(previews)s::jsonb, previews_at = %(position)s
 where conversation_id = %(conversation)s and seq = %(seq)s
