-- name: list_members
select m.user_id, m.role, m.joined_at from memberships m
 where m.conversation_id = %s and m.until is null and m.user_id > %s order by m.user_id limit %s

-- name: read_notifications
-- The level is the one that applies.
select level_of(m.level, m.own_level, c.kind, u.notify, (select t.notify from team t)), m.muted_until,
       m.own_level or m.level <> 'all'
  from memberships m join conversations c on c.id = m.conversation_id join users u on u.id = m.user_id
 where m.conversation_id = %s and m.user_id = %s and m.until is null

-- name: set_notifications
update memberships set level = %s, own_level = %s, muted_until = %s
 where conversation_id = %s and user_id = %s and until is null

-- name: find_external_users
select external_id, id from users where external_id = any(%s::text[])

-- name: find_present
select user_id from memberships
 where conversation_id = %(conversation)s and until is null and user_id = any(%(users)s::bigint[])

-- name: find_others
-- The members besides these users, up to a number.
select user_id, role from memberships
 where conversation_id = %(conversation)s and until is null and user_id <> all(%(users)s::bigint[])
 order by user_id limit %(most)s

-- name: find_banned
select user_id from bans where conversation_id = %s and user_id = any(%s::bigint[]) order by user_id
