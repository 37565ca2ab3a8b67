-- name: is_banned
select from bans where conversation_id = %s and user_id = %s

-- name: lock_conversation
select id, kind, name, topic, private, archived_at is not null, last_seq, slow_seconds, read_only, blocked
  from conversations where id = %s for no key update

-- name: find_roles
-- Those of the users who exist, with the role of each in the conversation.
select u.id, m.role
  from users u left join memberships m on m.user_id = u.id and m.conversation_id = %s and m.until is null
 where u.id = any(%s) and (u.disabled_at is null or m.role is not null)

-- name: count_members
-- Members, and owners among them.
select count(*), count(*) filter (where role = 'owner') from memberships where conversation_id = %s and until is null

-- name: lock_users
-- Those of the users who can be members, how many conversations each has chosen, and to how many others have added them.
-- Their rows are locked now because the memberships' foreign keys would lock them later, and no lock may be taken after the
-- log's head.
select u.id, joined.chosen, joined.given
  from users u
 cross join lateral (
       select count(*) filter (where m.chosen), count(*) filter (where not m.chosen and c.kind <> 'direct')
         from memberships m join conversations c on c.id = m.conversation_id
        where m.user_id = u.id and m.until is null and c.archived_at is null) as joined (chosen, given)
 where u.id = any(%s) and u.disabled_at is null and not is_probe(u.id)
   and not exists (select from api_keys k join sessions s on s.id = k.session_id
                    where k.user_id = u.id and s.ended_at is null and k.conversations is not null
                      and not %s = any(k.conversations))
   for key share of u

-- name: close_invitations
delete from invitations where conversation_id = %s and user_id = any(%s)

-- name: insert_memberships
-- The time of the last post is kept, so that leaving and joining again does not shorten slow mode.
insert into memberships (conversation_id, joined_seq, read_seq, user_id, role, since, chosen, posted_at)
select %(conversation)s, %(seq)s, %(seq)s, new.id, new.role, new.since, new.id = any(%(chosen)s),
       (select max(m.posted_at) from memberships m
         where m.conversation_id = %(conversation)s and m.user_id = new.id)
  from unnest(%(users)s::bigint[], %(roles)s::text[], %(since)s::bigint[]) as new (id, role, since)

-- name: end_memberships
update memberships m set until = gone.until
  from unnest(%(users)s::bigint[], %(until)s::bigint[]) as gone (id, until)
 where m.conversation_id = %(conversation)s and m.user_id = gone.id and m.until is null

-- name: disable_hooks
-- Turn off the hooks that these users have made: they know the addresses, and have chosen the receivers.
with made as (
    select id, user_id, name, command is not null as called from outgoing_hooks
     where conversation_id = %(conversation)s and created_by = any(%(users)s)),
incoming as (
    update incoming_hooks set disabled = true
     where conversation_id = %(conversation)s and created_by = any(%(users)s) and not disabled
    returning id, user_id, name),
commands as (
    update outgoing_hooks h set disabled = true from made where h.id = made.id and made.called and not h.disabled
    returning h.id, h.user_id, h.name),
outgoing as (
    update subscriptions s set disabled = true, problem = %(problem)s, holder = null, lease_until = now()
      from made where s.target = 'hook:' || made.id and not s.disabled
    returning made.id, made.user_id, made.name)
select * from incoming union all select * from commands union all select * from outgoing

-- name: end_follows
delete from thread_follows where conversation_id = %(conversation)s and user_id = any(%(users)s::bigint[])

-- name: end_saved
delete from saved_messages where conversation_id = %(conversation)s and user_id = any(%(users)s::bigint[])

-- name: change_role
update memberships set role = %s where conversation_id = %s and user_id = %s and until is null

-- name: find_similar_name
-- Another public channel with a name of letters that look the same.
select name from conversations
 where skeleton = %(skeleton)s and id <> %(id)s and kind = 'channel' and not private and archived_at is null
 limit 1
