-- name: read_user
select u.id, name, display_name, role, about, time_zone, receipts, created_at, disabled_at,
       coalesce(u.email, (select nullif(a.address, '') from email_addresses a where a.user_id = u.id),
                (select min(i.email) from imported_users i where i.user_id = u.id)),
       avatar, language, notify, keywords
  from users u where u.id = %s

-- name: list_own_conversations
-- All conversations that the user was ever a member of. The last column: whether they may read it now.
select c.id, c.kind, c.name, c.topic, c.private, c.pair, c.created_by, c.created_at, c.archived_at, c.slow_seconds,
       c.read_only,
       c.kind = 'channel' and not c.private
       or exists (select from memberships m
                   where m.conversation_id = c.id and m.user_id = %(user)s and m.until is null)
  from conversations c
 where c.id in (select m.conversation_id from memberships m where m.user_id = %(user)s) order by c.id

-- name: list_reactions
-- Messages that the user has reacted to.
select m.author_id, m.client_id, r.emoji from reactions r
  join messages m on m.conversation_id = r.conversation_id and m.seq = r.seq
 where r.conversation_id = %(conversation)s and r.users @> array[%(user)s::bigint]
 order by r.seq, r.since

-- name: list_saved
select m.author_id, m.client_id, s.saved_at, s.done
  from saved_messages s join messages m on m.conversation_id = s.conversation_id and m.seq = s.seq
 where s.user_id = %(user)s and s.conversation_id = %(conversation)s
 order by s.id

-- name: list_sessions
select device, host(address), created_at, last_seen_at, expires_at, ended_at from sessions where user_id = %s order by id

-- name: list_own_blocks
select o.name, b.created_at from blocks b join users o on o.id = b.blocked_id where b.user_id = %s order by o.name

-- name: read_status
select mode, text, emoji from presence_choices where user_id = %s

-- name: read_sidebar
select document from sidebars where user_id = %s

-- name: list_own_reminders
select text, at, conversation_id, created_at from reminders where user_id = %s order by id

-- name: list_own_scheduled
select at, conversation_id, draft, created_at from scheduled_messages where user_id = %s order by id

-- name: list_own_reports
select r.conversation_id, r.reason, r.at, r.outcome from reports r where r.reporter_id = %s order by r.id

-- name: list_emoji_pictures
select name, picture from custom_emoji order by created_at, name

-- name: list_avatars
-- Of the users of an export, as `list_users` in exporter.sql.
select u.id, a.picture from users u join avatars a on a.id = u.avatar
 where not is_probe(u.id) and (%(only)s::bigint is null
    or u.id in (select m.user_id from memberships m where m.conversation_id = %(only)s
                 union select m.author_id from messages m where m.conversation_id = %(only)s
                 union select b.user_id from bans b where b.conversation_id = %(only)s))
 order by lower(u.name)

-- name: list_files
-- The files of all messages, in the order of the lines.
select m.conversation_id, m.seq, f.number - 1, (f.file ->> 'id')::bigint, f.file ->> 'name', (f.file ->> 'size')::bigint
  from messages m cross join lateral jsonb_array_elements(m.files) with ordinality as f (file, number)
 where m.files is not null and jsonb_typeof(m.files) = 'array' and (%(only)s::bigint is null or m.conversation_id = %(only)s)
   and not is_probe(m.conversation_id)
 order by 1, 2, 3
