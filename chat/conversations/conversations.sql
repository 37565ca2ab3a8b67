-- name: insert_conversation
-- No row if the pair has a direct conversation already, or the channel's name or the external id is taken.
insert into conversations (kind, name, topic, private, pair, created_by, look_key, skeleton, external_id)
values (%(kind)s, %(name)s, %(topic)s, %(private)s, %(pair)s, %(creator)s, %(look_key)s, %(skeleton)s, %(external_id)s)
    on conflict do nothing
returning id, kind, name, topic, private, false, last_seq

-- name: find_pair
select id from conversations where pair = %s

-- name: find_external
select id from conversations where external_id = %s

-- name: change_conversation
-- The key changes with the name only: that of a channel from before decision 0101 may be one of its own.
update conversations
   set name = %(name)s, topic = %(topic)s, private = %(private)s, slow_seconds = %(slow)s, read_only = %(read_only)s,
       look_key = case when name = %(name)s then look_key else %(look_key)s end, skeleton = %(skeleton)s,
       archived_at = case when %(archived)s then coalesce(archived_at, now()) end
 where id = %(id)s
