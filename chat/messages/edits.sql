-- name: replace_said
update messages set body = %s, files = %s::jsonb, edited_at = %s where conversation_id = %s and seq = %s
