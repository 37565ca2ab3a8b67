-- name: read_factors
select (select to_char(confirmed_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
          from authenticators where user_id = u.id),
       (select count(*) from recovery_codes where user_id = u.id and used_at is null)
  from (select %s::bigint as id) u

-- name: delete_factors
with a as (delete from authenticators where user_id = %(user_id)s),
     p as (delete from passkeys where user_id = %(user_id)s),
     c as (delete from challenges where user_id = %(user_id)s)
delete from recovery_codes where user_id = %(user_id)s
