-- name: find_ban
select at from bans where conversation_id = %s and user_id = %s

-- name: read_message
-- When and by which node it was committed. If the log's entry has been dropped, the message's own time is used.
select m.author_id, m.position, coalesce(l.at, m.created_at), l.node, m.deleted_at is not null
  from messages m left join log l on l.position = m.position
 where m.conversation_id = %s and m.seq = %s

-- name: read_user
-- The user, and their membership in which the message was posted, or the nearest before or after it.
select u.name, u.disabled_at is not null, m.since, m.until, coalesce(m.read_seq, 0)
  from users u
  left join lateral (
       select * from memberships m
        where m.conversation_id = %(conversation)s and m.user_id = u.id
        order by m.since <= %(position)s and coalesce(m.until >= %(position)s, true) desc, m.since desc limit 1) m on true
 where u.id = %(user)s

-- name: read_marks
-- The read marks that the user set after a position, the oldest first.
select at, frame from log
 where user_id = %s and kind = 'read' and conversation_id = %s and position > %s order by position limit 500

-- name: find_answer
-- When the user next posted there. Authors have read what is above their messages.
select created_at from messages
 where conversation_id = %s and author_id = %s and seq >= %s and deleted_at is null order by seq limit 1

-- name: list_streams
-- The user's streams that had not ended when the message was committed, or were opened after it.
select session_id, node, opened_at, opened, closed_at, closed, reason
  from stream_records
 where user_id = %s and (closed_at is null or closed_at >= %s)
 order by opened_at limit 50
