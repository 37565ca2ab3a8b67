-- name: count_hooks
-- Those of the conversation, and those that this user has made.
select count(*) filter (where conversation_id = %(conversation)s), count(*) filter (where created_by = %(actor)s)
  from outgoing_hooks where conversation_id = %(conversation)s or created_by = %(actor)s

-- name: insert_hook
insert into outgoing_hooks (conversation_id, user_id, name, url, secret, events, created_by, command, hint, description)
values (%(conversation)s, %(bot)s, %(name)s, %(url)s, %(secret)s, %(events)s, %(actor)s, %(command)s, %(hint)s,
        %(description)s)
returning id, name, url, events, user_id, created_by, created_at, command, hint, description, disabled

-- name: list_hooks
select id, name, url, events, user_id, created_by, created_at, command, hint, description, disabled
  from outgoing_hooks where conversation_id = %s order by id

-- name: has_command
select from outgoing_hooks where conversation_id = %(conversation)s and command = %(command)s

-- name: list_commands
-- Commands that are on, of bots that are members.
select h.command, h.hint, h.description, h.name from outgoing_hooks h
  join memberships m on m.conversation_id = h.conversation_id and m.user_id = h.user_id and m.until is null
 where h.conversation_id = %s and h.command is not null and not h.disabled order by h.command

-- name: list_every
-- A page of all hooks, or of those of a conversation: incoming ones, then those that call a program. Events that wait are
-- counted up to a thousand, for hooks that do not get them now.
select * from (
    (select 'incoming' as kind, h.id, h.name, h.conversation_id, c.name as place, h.created_by, h.created_at, null as url,
            null as command, '{}'::text[] as events, case when h.disabled then 'disabled' else 'running' end as state,
            0 as waiting, null::timestamptz as retry_at, h.problem, h.used_at as last_at
       from incoming_hooks h join conversations c on c.id = h.conversation_id
      where h.id > %(incoming)s and (h.conversation_id = %(conversation)s or %(conversation)s::bigint is null)
      order by h.id limit %(most)s)
    union all
    (select case when h.command is null then 'outgoing' else 'command' end, h.id, h.name, h.conversation_id, c.name,
            h.created_by, h.created_at, h.url, h.command, h.events,
            case when h.disabled or s.disabled then 'disabled'
                 when s.attempts > 0 or h.command is not null and last.problem <> '' then 'failing' else 'running' end,
            case when s.disabled or s.attempts > 0 then
                 (select count(*) from (select from log where log.conversation_id = s.conversation_id and log.user_id is null
                     and log.position > s.position and log.kind = any(s.kinds) limit 1000) waiting) else 0 end,
            case when s.attempts > 0 and not s.disabled then s.retry_at end,
            coalesce(nullif(s.problem, ''), case when h.command is not null then last.problem end, ''), last.sent_at
       from outgoing_hooks h join conversations c on c.id = h.conversation_id
       left join subscriptions s on s.target = 'hook:' || h.id
       left join lateral (select d.problem, d.sent_at from hook_deliveries d where d.hook_id = h.id
                           order by d.id desc limit 1) last on true
      where h.id > %(outgoing)s and (h.conversation_id = %(conversation)s or %(conversation)s::bigint is null)
      order by h.id limit %(most)s)) hook
 order by kind <> 'incoming', id limit %(most)s

-- name: change_hook
update outgoing_hooks set url = coalesce(%(url)s, url), events = coalesce(%(events)s, events),
       disabled = command is not null and coalesce(not %(enabled)s::boolean, disabled)
 where conversation_id = %(conversation)s and id = %(id)s
returning id, name, url, events, user_id, created_by, created_at, command, hint, description, disabled

-- name: delete_hook
delete from outgoing_hooks where conversation_id = %s and id = %s returning user_id

-- name: find_place
select conversation_id from outgoing_hooks where id = %s

-- name: list_deliveries
select id, message_id, event, position, status, problem, answer, took_ms, sent_at
  from hook_deliveries where hook_id = %s order by id desc limit %s
