-- name: find_trust
-- Whether the device, and the network, have been in use by this user since the password last changed.
select exists (select from trusted_devices d
                where d.user_id = u.id and d.digest = %(digest)s and d.created_at > u.trusted_since
                  and d.created_at > now() - make_interval(days => %(days)s)),
       exists (select from sessions s
                where s.user_id = u.id and s.ended_at is null and s.address <<= %(network)s::inet and s.created_at > u.trusted_since
                  and s.created_at > now() - make_interval(days => %(days)s))
  from users u where lower(u.name) = lower(%(name)s)

-- name: replace_device
-- The token changes at each log-in, for all users of this browser.
update trusted_devices set digest = %(fresh)s where digest = %(old)s

-- name: trust_device
insert into trusted_devices (digest, user_id) values (%(fresh)s, %(user)s)
on conflict (digest, user_id) do update set created_at = now()

-- name: drop_devices
-- The newest stay.
delete from trusted_devices
 where user_id = %(user)s
   and digest not in (select digest from trusted_devices where user_id = %(user)s order by created_at desc limit %(most)s)
