-- name: find_membership
select c.id, m.user_id, c.kind, c.private, c.archived_at is not null, m.role, m.joined_seq, m.read_seq, c.last_seq
  from memberships m join conversations c on c.id = m.conversation_id
 where m.user_id = %s and m.conversation_id = %s and m.until is null

-- name: read_intervals
-- The log's position and all membership intervals of these users, in one snapshot.
select head.position, m.user_id, m.conversation_id, m.since, m.until
  from log_head head left join memberships m on m.user_id = any(%s)
