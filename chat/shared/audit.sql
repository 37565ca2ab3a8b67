-- name: insert_rows
-- Security events in their order; `age` is seconds before now.
insert into audit (at, actor, action, subject, address, session, device, times, detail, acted_by)
select now() - make_interval(secs => n.age), n.actor, n.action, n.subject, n.address::inet, n.session,
       coalesce(s.device, n.device), n.times, n.detail::jsonb, case when s.user_id <> n.actor then s.user_id end
  from unnest(%(age)s::float8[], %(actor)s::bigint[], %(action)s::text[], %(subject)s::bigint[], %(address)s::text[],
              %(session)s::bigint[], %(device)s::text[], %(times)s::integer[], %(detail)s::text[])
       with ordinality as n (age, actor, action, subject, address, session, device, times, detail, place)
  left join sessions s on s.id = n.session
 order by n.place

-- name: find_accounts
-- The accounts that typed names belong to.
select lower(name), id from users where lower(name) = any(%s)

-- name: make_key
insert into audit_keys (day, key) values (current_date, %s) on conflict do nothing

-- name: read_key
select key from audit_keys where day = current_date

-- name: insert_row
-- `acted_by`: the session is that of another user, the bot of a key.
insert into audit (actor, action, subject, address, session, device, detail, acted_by)
values (%(actor)s, %(action)s, %(subject)s, %(address)s::inet, %(session)s,
        coalesce((select s.device from sessions s where s.id = %(session)s), %(device)s), %(detail)s::jsonb,
        (select s.user_id from sessions s where s.id = %(session)s and s.user_id <> %(actor)s))
