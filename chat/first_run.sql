-- name: lock_general
-- The channel of everyone who joins, unless it is archived.
select c.id, c.kind, c.name, c.topic, c.private, false, c.last_seq, c.slow_seconds, c.read_only, c.blocked
  from team t join conversations c on c.id = t.general_id
 where c.archived_at is null and not c.blocked
   for no key update of c

-- name: find_newcomers
-- Those of the users who have not been greeted, and whether each is to be a member: a person who may log in, has not left
-- the channel before, and is not the copy of a user of another chat.
select u.id, u.disabled_at is null and u.deleted_at is null and not u.bot and not is_probe(u.id)
             and not exists (select from imported_users i where i.user_id = u.id and i.print is not null)
             and not exists (select from memberships m where m.conversation_id = %(general)s and m.user_id = u.id)
             and not exists (select from bans b where b.conversation_id = %(general)s and b.user_id = u.id)
  from users u
 where u.id = any(%(users)s) and not u.greeted
 order by u.id for no key update of u

-- name: note_greeted
update users set greeted = true where id = any(%s)

-- name: list_not_greeted
select id from users
 where not greeted and exists (select from team where general_id is not null)
 order by id limit %s

-- name: lock_channel
select id, kind, name, topic, private, false, last_seq, slow_seconds, read_only, blocked
  from conversations where look_key = %s and kind = 'channel' and not private and archived_at is null and not blocked
   for no key update

-- name: set_general
insert into team (single, general_id) values (true, %(general)s)
on conflict (single) do update set general_id = %(general)s

-- name: count_users
-- People with an account: active and disabled ones.
select count(*) filter (where disabled_at is null), count(*) filter (where disabled_at is not null)
  from users u where deleted_at is null and not bot and not is_probe(u.id)

-- name: measure_storage
-- Bytes of files, and of the database.
select (select coalesce(sum(size), 0)::bigint from files where removed_at is null), pg_database_size(current_database())
