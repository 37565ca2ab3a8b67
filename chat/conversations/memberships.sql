-- name: is_banned
select from bans where conversation_id = %s and user_id = %s

-- name: lock_conversation
select id, kind, name, topic, private, archived_at is not null, last_seq, slow_seconds, read_only, blocked
  from conversations where id = %s for no key update

-- name: find_seats
-- Of these people: who exists, and as what each is in the conversation.
select u.id, m.role
  from users u left join memberships m on m.user_id = u.id and m.conversation_id = %s and m.until is null
 where u.id = any(%s) and (u.disabled_at is null or m.role is not null)

-- name: count_members
-- Two owners are as good as more; a group's members are few.
select count(*), count(*) filter (where role = 'owner') from memberships where conversation_id = %s and until is null
