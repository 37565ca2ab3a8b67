-- name: insert_missing
-- The empty hash matches no password, so that the account cannot log in.
insert into users (name, display_name, password_hash)
select name, display_name, '' from unnest(%s::text[], %s::text[]) as author (name, display_name)
    on conflict do nothing

-- name: find_named
select lower(name), id from users where lower(name) = any(%s)

-- name: find_missing
select asked.id from unnest(%s::bigint[]) as asked (id)
 where not exists (select from memberships m where m.conversation_id = %s and m.user_id = asked.id and m.until is null)
 order by asked.id
