-- name: insert_avatar
insert into avatars (user_id, picture) values (%s, %s) returning id

-- name: set_avatar
update users set avatar = %s where id = %s

-- name: delete_others
delete from avatars where user_id = %s and id is distinct from %s

-- name: read_avatar
select picture from avatars where id = %s
