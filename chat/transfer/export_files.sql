-- name: read_user
select name, display_name, role, about, time_zone, receipts, created_at, disabled_at from users where id = %s

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

-- name: list_sessions
select device, host(address), created_at, last_seen_at, expires_at, ended_at from sessions where user_id = %s order by id

-- name: list_own_blocks
select o.name, b.created_at from blocks b join users o on o.id = b.blocked_id where b.user_id = %s order by o.name

-- name: read_status
select mode, text, emoji from presence_choices where user_id = %s

-- name: list_own_reports
select r.conversation_id, r.reason, r.at, r.outcome from reports r where r.reporter_id = %s order by r.id
