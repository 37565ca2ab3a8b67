-- name: change_conversation
update conversations
   set name = %(name)s, topic = %(topic)s, private = %(private)s, slow_seconds = %(slow)s, read_only = %(read_only)s,
       archived_at = case when %(archived)s then coalesce(archived_at, now()) end
 where id = %(id)s
