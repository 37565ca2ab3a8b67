-- name: read_me
select id, name, display_name, role, about, time_zone, avatar, bot, false, owner_id, receipts, language, notify,
       (select t.notify from team t), keywords
  from users where id = %s

-- name: read_users
-- With a viewer, only users who have ever been in one of the viewer's conversations, because their messages are there.
select u.id, u.name, u.display_name, u.role, u.about, u.time_zone, u.avatar, u.bot, u.disabled_at is not null,
       u.owner_id
  from users u
 where u.id = any(%(ids)s) and not is_probe(u.id)
   and (%(viewer)s::bigint is null or u.id = %(viewer)s
        or exists (select from memberships theirs join memberships mine using (conversation_id)
                    where theirs.user_id = u.id and mine.user_id = %(viewer)s and mine.until is null))
 order by u.id

-- name: list_conversations_of
select conversation_id from memberships where user_id = %s and until is null order by conversation_id

-- name: find_users
-- Users whose name begins with the text, then users whose display name contains it. Each reads the beginning of one range
-- of keys, so the cost does not depend on the text or the number of users. A user may have several matching keys. With a
-- viewer, finds only users who share a conversation, among the first thousand keys of each range.
with named as (
    select k.user_id
      from (select * from user_names where kind = 0 and key >= user_key(%(text)s) and key < user_key(%(beyond)s) order by key limit 1000) k
      join users u on u.id = k.user_id and u.disabled_at is null and not is_probe(u.id)
     where %(viewer)s::bigint is null or u.id = %(viewer)s
        or exists (select from memberships theirs join memberships mine using (conversation_id)
                    where theirs.user_id = u.id and theirs.until is null
                      and mine.user_id = %(viewer)s and mine.until is null)
     order by k.key limit %(most)s),
shown as (
    select k.user_id
      from (select * from user_names where kind = 1 and key >= user_key(%(text)s) and key < user_key(%(beyond)s) order by key limit 1000) k
      join users u on u.id = k.user_id and u.disabled_at is null and not is_probe(u.id)
     where %(viewer)s::bigint is null or u.id = %(viewer)s
        or exists (select from memberships theirs join memberships mine using (conversation_id)
                    where theirs.user_id = u.id and theirs.until is null
                      and mine.user_id = %(viewer)s and mine.until is null)
     order by k.key limit 10 * %(most)s)
select u.id, u.name, u.display_name, u.role, u.about, u.time_zone, u.avatar, u.bot, false, u.owner_id
  from users u where u.id in (select user_id from named union select user_id from shown)
 order by lower(u.name) = user_key(%(text)s) desc, starts_with(lower(u.name), user_key(%(text)s)) desc, u.name
 limit %(most)s

-- name: list_admin_names
-- The display names of the other admins; none if the user is an admin too.
select a.display_name from users a
 where a.role = 'admin' and a.disabled_at is null and a.id <> %(user)s
   and not exists (select from users u where u.id = %(user)s and u.role = 'admin')
