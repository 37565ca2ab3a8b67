-- name: insert_people
-- An empty hash is no password's: nobody can log in.
insert into users (name, display_name, password_hash, role, about, time_zone, receipts, created_at, disabled_at)
select name, display_name, '', role, about, time_zone, receipts, coalesce(created_at, now()), disabled_at
  from unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::boolean[], %s::timestamptz[],
              %s::timestamptz[])
       as person (name, display_name, role, about, time_zone, receipts, created_at, disabled_at)
    on conflict do nothing

-- name: find_people
select lower(name), id from users where lower(name) = any(%s)

-- name: insert_blocks
insert into blocks (user_id, blocked_id) select * from unnest(%s::bigint[], %s::bigint[]) on conflict do nothing

-- name: mark_directs
update conversations c set blocked = true
 where c.pair = any(%s) and not c.blocked
   and exists (select from blocks b
                where c.pair = least(b.user_id, b.blocked_id) || ':' || greatest(b.user_id, b.blocked_id))
