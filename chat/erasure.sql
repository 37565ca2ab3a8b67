-- name: take_erasure
-- The oldest deletion that no other node is working on.
select user_id, messages, conversation_id, client_id, position, until
  from erasures order by began_at, user_id limit 1 for no key update skip locked

-- name: await_step
-- The deletion, once no other process is working on it; no row if it is finished.
select from erasures where user_id = %s for no key update

-- name: next_conversation
select m.conversation_id, c.kind, coalesce(bool_or(m.until is null), false)
  from memberships m join conversations c on c.id = m.conversation_id
 where m.user_id = %s and m.conversation_id > %s
 group by m.conversation_id, c.kind order by m.conversation_id limit 1

-- name: lock_conversation
select from conversations where id = %s for no key update

-- name: list_messages
-- The user's messages in the conversation by client id, the order of an index.
select m.* from displayed_messages m
 where m.conversation_id = %s and m.author_id = %s and m.client_id > %s collate "C"
 order by m.client_id collate "C" limit %s

-- name: drop_edits
delete from message_edits where conversation_id = %s and seq = any(%s::bigint[])

-- name: drop_reports
-- The text of the message, kept with a report.
update reports set body = '' where conversation_id = %s and seq = any(%s::bigint[])

-- name: note_messages
update erasures set client_id = %s where user_id = %s

-- name: note_conversation
update erasures set conversation_id = %s, client_id = '' where user_id = %s

-- name: forget_membership
-- The user's notification settings.
update memberships set level = 'all', own_level = false, muted_until = null
 where conversation_id = %(conversation)s and user_id = %(user)s

-- name: drop_mentions
delete from mentions where conversation_id = %(conversation)s and user_id = %(user)s

-- name: find_names
-- Entries for others that contain the user's name.
select position, frame from log
 where user_id is null and kind = 'user' and subject = %(user)s and position > %(after)s and position <= %(to)s

-- name: replace_frames
update log l set frame = new.frame from unnest(%b::bigint[], %b::bytea[]) as new (position, frame)
 where l.position = new.position

-- name: drop_frames
-- Entries for the user alone, which no one can read any more.
update log set frame = '' where user_id = %(user)s and position > %(after)s and position <= %(to)s and frame <> ''

-- name: note_position
update erasures set position = %s where user_id = %s

-- name: drop_blocks
delete from blocks where user_id = %(user)s or blocked_id = %(user)s

-- name: drop_devices
delete from trusted_devices where user_id = %(user)s

-- name: drop_choices
delete from presence_choices where user_id = %(user)s

-- name: drop_sidebar
delete from sidebars where user_id = %(user)s

-- name: forget_invite
-- The address to which the user's invitation was sent.
with used as (delete from invite_uses where user_id = %(user)s returning invite_id)
update invites set email = '' where id in (select invite_id from used)

-- name: drop_follows
delete from thread_follows where user_id = %(user)s

-- name: drop_keywords
delete from keywords where user_id = %(user)s

-- name: drop_email
delete from email_addresses where user_id = %(user)s

-- name: drop_mails
with due as (delete from email_due where user_id = %(user)s)
delete from email_queue where user_id = %(user)s

-- name: drop_saved
delete from saved_messages where user_id = %(user)s

-- name: list_reminded
-- The messages of the bot that reminds, in its direct conversation with the user.
select m.* from service_bots b
  join conversations c on c.pair = least(b.user_id, %(user)s) || ':' || greatest(b.user_id, %(user)s)
  join displayed_messages m on m.conversation_id = c.id and m.author_id = b.user_id and not m.deleted
 where b.purpose = 'reminders' order by m.client_id collate "C" limit %(most)s

-- name: drop_reminders
delete from reminders where user_id = %(user)s

-- name: drop_groups
delete from user_group_members where user_id = %(user)s

-- name: forget_emoji
-- The team keeps the emoji that the user added.
update custom_emoji set user_id = null where user_id = %(user)s

-- name: drop_scheduled
delete from scheduled_messages where user_id = %(user)s

-- name: remove_files
-- The background task deletes their bytes.
update files set removed_at = now() where owner_id = %(user)s and conversation_id is null and removed_at is null

-- name: drop_streams
with gone as (
    delete from stream_records where ctid = any(array(
        select ctid from stream_records where user_id = %(user)s limit %(batch)s)) returning 1)
select count(*) from gone

-- name: drop_sessions
with gone as (
    delete from sessions where id in (select id from sessions where user_id = %(user)s limit %(batch)s) returning 1)
select count(*) from gone

-- name: finish
delete from erasures where user_id = %s

-- name: find_owned
-- Conversations whose only owner is the user, with the number of other members, the oldest admin and the oldest member.
-- Locked in id order, as posts lock them.
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
       language = '', password_hash = '', role = 'member', disabled_at = coalesce(disabled_at, now()), deleted_at = now(),
       external_id = null, email = null, avatar_url = null, notify = null, keywords = '{}'
 where id = %s and deleted_at is null
returning id, name, display_name, role, about, time_zone, avatar, bot

-- name: drop_links
delete from oidc_accounts where user_id = %s

-- name: drop_avatars
delete from avatars where user_id = %s

-- name: hide_imported
-- What tells who it was goes. The digest stays: a further import does not create the user again.
update imported_users
   set email = null, key = case when key like 'sha256:%%' then key else 'sha256:' || encode(sha256(convert_to(key, 'UTF8')), 'hex') end
 where user_id = %s

-- name: hide_external
-- The id that another system has for the user, where the creation of the account was recorded.
update audit set detail = detail - 'external_id' where subject = %s and detail ? 'external_id'

-- name: drop_resets
delete from password_resets where user_id = %s

-- name: insert_erasure
insert into erasures (user_id, messages, until) values (%s, %s, %s)

-- name: take_turn
-- One node at a time.
select pg_try_advisory_xact_lock(7263371)

-- name: expire_audit
delete from audit where id in (
    select id from audit where at < now() - make_interval(days => %(audit)s) order by at limit %(batch)s)

-- name: expire_events
-- Security events that are not about the use of admin rights.
delete from audit where id in (
    select id from audit
     where at < now() - make_interval(days => %(events)s)
       and action = any('{login.ok,login.failed,mfa.failed,reset.failed,invite.failed,setup.failed,admin.refused,origin.refused,limit.hit}')
     order by at limit %(batch)s)

-- name: expire_sessions
delete from sessions where id in (
    select id from sessions
     where least(expires_at, ended_at) < now() - make_interval(days => %(expired)s) and (expires_at < now() or not jwt)
     order by least(expires_at, ended_at) limit %(batch)s)

-- name: expire_invites
delete from invites where code_hash in (
    select code_hash from invites
     where expires_at < now() - make_interval(days => %(expired)s)
        or uses_left = 0 and created_at < now() - make_interval(days => %(expired)s) limit %(batch)s)

-- name: expire_setup_links
delete from setup_links where token_hash in (select token_hash from setup_links where expires_at < now() limit %(batch)s)

-- name: expire_links
delete from links where id in (
    select id from links
     where expires_at < now() - make_interval(days => %(expired)s)
        or uses_left = 0 and made_at < now() - make_interval(days => %(expired)s) limit %(batch)s)

-- name: expire_resets
delete from password_resets where token_hash in (
    select token_hash from password_resets where expires_at < now() limit %(batch)s)

-- name: expire_devices
-- Devices trusted before the last change of the password, which no longer counts.
delete from trusted_devices where ctid = any(array(
    select d.ctid from trusted_devices d join users u on u.id = d.user_id
     where d.created_at < u.trusted_since limit %(batch)s))

-- name: expire_challenges
delete from challenges where token_hash in (select token_hash from challenges where expires_at < now() limit %(batch)s)

-- name: expire_keys
-- Without its key, a keyed hash in the audit log reveals nothing about what was typed.
delete from audit_keys where day < current_date - 1

-- name: expire_logouts
delete from oidc_logouts where digest in (select digest from oidc_logouts where expires_at < now() limit %(batch)s)
