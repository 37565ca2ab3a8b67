-- name: find_frames
-- Where the log tells what a message said: its own entry and its edits, as far back as the log goes. With each, whether
-- a stay that has ended covers it: then users who are no longer members were addressed by it.
with told as (
    select l.position, l.frame from messages m join log l on l.position = m.position
     where m.conversation_id = %(conversation)s and m.seq = %(seq)s
     union all
    select l.position, l.frame from log l
     where l.conversation_id = %(conversation)s and l.subject = %(seq)s and l.kind = 'edit')
select told.position, told.frame,
       exists (select from memberships m
                where m.conversation_id = %(conversation)s and m.until >= told.position and m.since <= told.position)
  from told

-- name: replace_frames
update log l set frame = new.frame from unnest(%b::bigint[], %b::bytea[]) as new (position, frame)
 where l.position = new.position
