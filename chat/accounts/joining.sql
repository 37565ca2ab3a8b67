-- name: read_team
-- The team, and whether the server has an admin, who is its owner.
select coalesce(t.name, ''), t.signup,
       exists (select from users where role = 'admin' and disabled_at is null and deleted_at is null and not bot),
       t.notify, t.emoji
  from (values (true)) as always (single) left join team t using (single)

-- name: set_team
insert into team (single, name, signup, notify, emoji)
values (true, coalesce(%(name)s, ''), %(signup)s, %(notify)s, %(emoji)s)
on conflict (single) do update
   set name = coalesce(%(name)s, team.name), signup = coalesce(%(signup)s, team.signup),
       notify = coalesce(%(notify)s, team.notify), emoji = coalesce(%(emoji)s, team.emoji)

-- name: insert_invite
insert into invites (code_hash, uses_left, uses, created_by, email, expires_at)
values (%(digest)s, %(uses)s, %(uses)s, %(user_id)s, %(email)s, now() + make_interval(days => %(days)s))
returning id, to_char(expires_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')

-- name: use_invite
-- No row if the code is unknown, used up or expired.
update invites set uses_left = uses_left - 1
 where code_hash = %s and uses_left > 0 and expires_at > now()
returning id, created_by

-- name: insert_use
insert into invite_uses (user_id, invite_id, inviter) values (%s, %s, %s)

-- name: list_invites
-- Active and used ones, the newest first, with the users who came last.
select i.id, coalesce(i.uses, i.uses_left), i.uses_left, i.email, i.created_by, i.created_at, i.expires_at,
       (select count(*) from invite_uses n where n.invite_id = i.id),
       array(select n.user_id from invite_uses n where n.invite_id = i.id order by n.used_at desc limit %(shown)s)
  from invites i
 where i.id < %(before)s and (i.expires_at > now() or exists (select from invite_uses n where n.invite_id = i.id))
 order by i.id desc limit %(most)s

-- name: delete_invite
delete from invites where id = %s and uses_left > 0 returning email

-- name: close_invite
-- A revoked invite that someone has used stays in the list.
update invites set uses = coalesce(uses, uses_left) - uses_left, uses_left = 0
 where id = %s and uses_left > 0 and exists (select from invite_uses n where n.invite_id = invites.id)
returning email

-- name: find_invite
select i.created_by, u.name, u.display_name, i.email, i.expires_at
  from invites i left join users u on u.id = i.created_by and u.deleted_at is null
 where i.code_hash = %s and i.uses_left > 0 and i.expires_at > now()

-- name: lock_setup
-- Two set-ups at once make one owner.
select pg_advisory_xact_lock(7263391)

-- name: insert_setup_link
insert into setup_links (token_hash, expires_at) values (%(digest)s, now() + make_interval(hours => %(hours)s))
returning to_char(expires_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')

-- name: drop_setup_links
-- Those that have expired; with `all`, every one.
delete from setup_links where expires_at < now() or %(all)s

-- name: find_setup_link
select true from setup_links where token_hash = %s and expires_at > now()
