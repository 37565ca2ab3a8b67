-- name: find_id
select id from users where lower(name) = %s and deleted_at is null and not is_probe(id)

-- name: list_accounts
select u.id, u.name, u.display_name, u.role, case when u.disabled_at is null then 'active' else 'disabled' end,
       to_char(u.created_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       to_char((select max(s.last_seen_at) from sessions s where s.user_id = u.id) at time zone 'utc',
               'YYYY-MM-DD"T"HH24:MI:SS"Z"')
  from users u
 where lower(u.name) > %s and u.deleted_at is null and not is_probe(u.id)
 order by lower(u.name) limit %s
