-- name: find_owned
-- Conversations in which the user is the only owner: the other members' number, the admin and the member who have been
-- there longest. Locked in id order, as posts lock them.
select c.id, c.kind, c.name, others.number, others.admin, others.member
  from (select c.id, c.kind, c.name from memberships m join conversations c on c.id = m.conversation_id
         where m.user_id = %(user)s and m.until is null and m.role = 'owner' and c.archived_at is null
           and c.kind <> 'direct'
         order by c.id for no key update of c) c
 cross join lateral (
       select count(*), (array_agg(o.user_id order by o.since, o.user_id) filter (where o.role = 'admin'))[1],
              (array_agg(o.user_id order by o.since, o.user_id))[1], count(*) filter (where o.role = 'owner')
         from memberships o join users u on u.id = o.user_id and u.disabled_at is null
        where o.conversation_id = c.id and o.until is null and o.user_id <> %(user)s
       ) as others (number, admin, member, owners)
 where others.owners = 0
 order by c.id

-- name: archive
update conversations set archived_at = now() where id = any(%s) and archived_at is null

-- name: forget_user
update users
   set name = 'deleted:' || id, display_name = 'Deleted user', about = '', time_zone = '', avatar = null,
       password_hash = '', role = 'member', disabled_at = coalesce(disabled_at, now()), deleted_at = now()
 where id = %s and deleted_at is null
returning id, name, display_name, role

-- name: drop_avatars
delete from avatars where user_id = %s

-- name: drop_factors
with apps as (delete from authenticators where user_id = %(user)s),
     keys as (delete from passkeys where user_id = %(user)s)
delete from recovery_codes where user_id = %(user)s

-- name: drop_resets
delete from password_resets where user_id = %s

-- name: insert_erasure
insert into erasures (user_id, messages, until) values (%s, %s, %s)
