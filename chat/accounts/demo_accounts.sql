-- name: mark_demo
insert into demo_accounts (user_id) select unnest(%s::bigint[]) on conflict do nothing

-- name: count_demo
select count(*)
  from demo_accounts d
  join users u on u.id = d.user_id
 where u.disabled_at is null
