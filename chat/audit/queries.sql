-- name: insert_note
insert into audit (actor_id, action, conversation_id, user_id, detail) values (%s, %s, %s, %s, %s::jsonb)

-- name: list_notes
-- The latest first, below an id; of one conversation, or of all.
select id, at, actor_id, action, conversation_id, user_id, detail
  from audit
 where id < %(before)s and (%(conversation)s::bigint is null or conversation_id = %(conversation)s)
 order by id desc limit %(most)s
