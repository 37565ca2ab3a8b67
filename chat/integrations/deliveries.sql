-- name: find_hook
-- A hook whose bot is a member of its conversation.
select h.id, h.conversation_id, h.user_id, h.name, h.url, h.secret, h.created_by,
       exists (select from memberships m
                where m.conversation_id = h.conversation_id and m.user_id = h.user_id and m.until is null)
  from outgoing_hooks h where h.id = %s

-- name: find_command
-- The hook of a command that is on, and why this user may not call it: what posting here would be refused for.
select h.id, h.conversation_id, h.user_id, h.name, h.url, h.secret, h.created_by,
       exists (select from memberships b
                where b.conversation_id = h.conversation_id and b.user_id = h.user_id and b.until is null),
       c.archived_at is not null, c.read_only and m.role = 'member'
  from outgoing_hooks h join conversations c on c.id = h.conversation_id
  join memberships m on m.conversation_id = h.conversation_id and m.user_id = %(user)s and m.until is null
 where h.conversation_id = %(conversation)s and h.command = %(command)s and not h.disabled

-- name: find_user
-- The name of a user, and whether they are the bot of an outgoing hook.
select u.name, u.display_name, exists (select from outgoing_hooks h where h.user_id = u.id)
  from users u where u.id = %s

-- name: find_delivered
-- The entry of a delivery, as it reads now.
select d.message_id, entry.frame, d.position
  from hook_deliveries d join log entry on entry.position = d.position
 where d.hook_id = %s and d.id = %s and entry.conversation_id = %s and entry.user_id is null

-- name: note_delivery
-- Only the newest deliveries of a hook are kept.
with old as (
    delete from hook_deliveries
     where hook_id = %(hook)s and id <= (select id from hook_deliveries where hook_id = %(hook)s
                                          order by id desc offset %(kept)s limit 1))
insert into hook_deliveries (hook_id, message_id, event, position, status, problem, answer, took_ms)
select h.id, %(message)s, %(event)s, %(position)s, %(status)s, %(problem)s, %(answer)s, %(took)s
  from outgoing_hooks h where h.id = %(hook)s
returning id, message_id, event, position, status, problem, answer, took_ms, sent_at
