-- name: insert_avatar
insert into avatars (user_id, picture) values (%s, %s) returning id

-- name: set_avatar
update users set avatar = %s where id = %s

-- name: delete_others
delete from avatars where user_id = %s and id is distinct from %s

-- name: read_avatar
select picture from avatars where id = %s

-- name: lock_emoji
-- Of two emoji that are added at once, the second one is checked after the first.
select pg_advisory_xact_lock(7263396)

-- name: count_emoji
select count(*), coalesce(bool_or(name = %(name)s), false) from custom_emoji

-- name: insert_emoji
insert into custom_emoji (name, user_id, picture, still, created_at)
values (%(name)s, %(user_id)s, %(picture)s, %(still)s, coalesce(%(created_at)s, now()))
returning id, name, user_id, created_at, still is not null

-- name: compare_emoji
-- How many there are, and whether the one of this name has this picture; null if there is none.
select count(*), bool_or(picture = %(picture)s) filter (where name = %(name)s) from custom_emoji

-- name: list_emoji
select id, name, user_id, created_at, still is not null from custom_emoji order by name limit %s

-- name: read_emoji
select picture from custom_emoji where id = %s

-- name: read_still
select coalesce(still, picture) from custom_emoji where id = %s

-- name: lock_one_emoji
select name, user_id from custom_emoji where id = %s for update

-- name: delete_emoji
delete from custom_emoji where id = %s
