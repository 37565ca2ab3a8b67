-- name: bury_message
-- Its place, its author and its thread stay.
update messages
   set deleted_at = %s, body = '', edited_at = null, reply_to = null, pinned = null, pinned_by = null, reactions = null,
       mentions = null, mentions_all = null, files = null
 where conversation_id = %s and seq = %s

-- name: drop_reactions
delete from reactions where conversation_id = %s and seq = %s
