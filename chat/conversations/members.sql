-- name: list_members
select m.user_id, m.role, m.joined_at from memberships m
 where m.conversation_id = %s and m.until is null and m.user_id > %s order by m.user_id limit %s

-- name: read_notifications
-- The level is the one that applies.
select level_of(m.level, m.own_level, c.kind, u.notify, (select t.notify from team t)), m.muted_until,
       m.own_level or m.level <> 'all'
  from memberships m join conversations c on c.id = m.conversation_id join users u on u.id = m.user_id
 where m.conversation_id = %s and m.user_id = %s and m.until is null

-- name: set_notifications
update memberships set level = %s, own_level = %s, muted_until = %s
 where conversation_id = %s and user_id = %s and until is null

-- name: find_external_users
select external_id, id from users where external_id = any(%s::text[])

-- name: find_present
select user_id from memberships
 where conversation_id = %(conversation)s and until is null and user_id = any(%(users)s::bigint[])

-- name: find_others
-- The members besides these users, up to a number.
select user_id, role from memberships
 where conversation_id = %(conversation)s and until is null and user_id <> all(%(users)s::bigint[])
 order by user_id limit %(most)s

-- name: find_banned
select user_id from bans where conversation_id = %s and user_id = any(%s::bigint[]) order by user_id

-- name: find_strangers
-- Those of the users who share no conversation with the actor, without bots, which nobody needs to ask. A direct
-- conversation counts once they have written in it. Nobody is a stranger to an admin, or to a bot, whose key an admin made.
select asked.id
  from unnest(%(users)s::bigint[]) as asked (id)
 where asked.id <> %(actor)s and not exists (select from users u where u.id = asked.id and u.bot)
   and not exists (select from users u where u.id = %(actor)s and (u.role = 'admin' or u.bot))
   and not exists (
       select from memberships theirs
         join memberships mine on mine.conversation_id = theirs.conversation_id
         join conversations c on c.id = theirs.conversation_id
        where theirs.user_id = asked.id and theirs.until is null
          and mine.user_id = %(actor)s and mine.until is null
          and (c.kind <> 'direct' or theirs.posted_at is not null))

-- name: count_open
-- The number of open invitations that the inviter has sent, and the largest number that one of the users has received.
select (select count(*) from invitations where invited_by = %(actor)s and declined_at is null),
       coalesce(max(received.number), 0)
  from unnest(%(users)s::bigint[]) as asked (id)
 cross join lateral (
       select count(*) from open_invitations i where i.user_id = asked.id and i.conversation_id <> %(conversation)s
       ) as received (number)

-- name: insert_invitations
-- Keeps an open invitation, and one that the user declined from the same inviter. Takes over one whose inviter has left.
insert into invitations as old (conversation_id, user_id, invited_by)
select %(conversation)s, asked.id, %(actor)s from unnest(%(users)s::bigint[]) as asked (id)
    on conflict (conversation_id, user_id) do update
   set invited_by = excluded.invited_by, at = now(), declined_at = null
 where old.invited_by <> excluded.invited_by
   and (old.declined_at is not null
        or not exists (select from memberships m
                        where m.conversation_id = old.conversation_id and m.user_id = old.invited_by and m.until is null))
returning user_id, at

-- name: list_invitations
select conversation, kind, name, invited_by, members, at from told_invitations where user_id = %s order by at, conversation

-- name: find_invitation
select from open_invitations where conversation_id = %s and user_id = %s

-- name: decline
update invitations set declined_at = now()
 where conversation_id = %s and user_id = %s and declined_at is null returning user_id

-- name: is_new_direct
select not exists (select from conversations where pair = %s)
