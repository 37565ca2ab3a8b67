-- name: count_hooks
-- Those of the conversation, and those that this user has made.
select count(*) filter (where conversation_id = %(conversation)s), count(*) filter (where created_by = %(actor)s)
  from outgoing_hooks where conversation_id = %(conversation)s or created_by = %(actor)s

-- name: insert_hook
insert into outgoing_hooks (conversation_id, user_id, name, url, secret, events, created_by)
values (%(conversation)s, %(bot)s, %(name)s, %(url)s, %(secret)s, %(events)s, %(actor)s)
returning id, name, url, events, user_id, created_by, created_at

-- name: list_hooks
select id, name, url, events, user_id, created_by, created_at
  from outgoing_hooks where conversation_id = %s order by id

-- name: change_hook
update outgoing_hooks set url = coalesce(%(url)s, url), events = coalesce(%(events)s, events)
 where conversation_id = %(conversation)s and id = %(id)s
returning id, name, url, events, user_id, created_by, created_at

-- name: delete_hook
delete from outgoing_hooks where conversation_id = %s and id = %s returning user_id

-- name: find_place
select conversation_id from outgoing_hooks where id = %s

-- name: list_deliveries
select id, message_id, event, position, status, problem, answer, took_ms, sent_at
  from hook_deliveries where hook_id = %s order by id desc limit %s
