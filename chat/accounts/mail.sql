-- name: read_state
select coalesce(u.email, ''), coalesce(e.address, ''), coalesce(e.wanted, true), coalesce(e.bounced, ''),
       case when e.code_until > now() then e.pending else '' end,
       coalesce((select i.email from invite_uses n join invites i on i.id = n.invite_id where n.user_id = u.id), '')
  from users u left join email_addresses e on e.user_id = u.id
 where u.id = %(user)s

-- name: store_code
-- No row above the limits: codes for a user in a day, and users who ask for codes to an address in a day.
insert into email_addresses as e (user_id, pending, code_hash, code_until, codes)
select %(user)s, %(address)s, %(digest)s, now() + make_interval(mins => %(minutes)s), 1
 where (select count(*) from email_addresses o
         where o.pending <> '' and lower(o.pending) = lower(%(address)s) and o.user_id <> %(user)s
           and o.code_until > now() - interval '1 day') < %(users_most)s
    on conflict (user_id) do update
   set pending = excluded.pending, code_hash = excluded.code_hash, code_until = excluded.code_until, tries = 0,
       codes = case when e.codes_since < now() - interval '1 day' then 1 else e.codes + 1 end,
       codes_since = case when e.codes_since < now() - interval '1 day' then now() else e.codes_since end
 where e.codes < %(codes_most)s or e.codes_since < now() - interval '1 day'
returning (select language from users where id = %(user)s)

-- name: try_code
-- Count the attempt first, so that attempts at once cannot exceed the limit.
update email_addresses set tries = tries + 1
 where user_id = %(user)s and pending <> '' and code_until > now() and tries < %(tries_most)s
returning code_hash

-- name: verify
update email_addresses
   set address = pending, pending = '', code_hash = null, wanted = true, bounced = ''
 where user_id = %(user)s and code_hash = %(digest)s
returning user_id

-- name: set_wanted
insert into email_addresses (user_id, wanted) values (%(user)s, %(wanted)s)
    on conflict (user_id) do update set wanted = excluded.wanted

-- name: drop_address
update email_addresses set address = '', pending = '', code_hash = null, bounced = '' where user_id = %(user)s

-- name: unsubscribe
update email_addresses e set wanted = false where token = %s
returning (select language from users u where u.id = e.user_id)

-- name: find_language
select u.language from email_addresses e join users u on u.id = e.user_id where e.token = %s
