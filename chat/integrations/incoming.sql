-- name: count_hooks
select count(*) from incoming_hooks where conversation_id = %s

-- name: insert_hook
insert into incoming_hooks (conversation_id, user_id, name, secret_hash, created_by)
values (%(conversation)s, %(bot)s, %(name)s, %(digest)s, %(actor)s)
returning id, name, user_id, created_by, created_at, used_at, problem, disabled

-- name: list_hooks
select id, name, user_id, created_by, created_at, used_at, problem, disabled
  from incoming_hooks where conversation_id = %s order by id

-- name: disable_hook
update incoming_hooks set disabled = %(disabled)s where conversation_id = %(conversation)s and id = %(id)s
returning user_id, name

-- name: delete_hook
delete from incoming_hooks where conversation_id = %s and id = %s returning user_id

-- name: find_hook
select id, conversation_id, user_id, name, disabled from incoming_hooks where secret_hash = %s

-- name: find_hook_by_id
select id, conversation_id, user_id, name, disabled from incoming_hooks where conversation_id = %s and id = %s

-- name: note_delivery
-- A write each minute is enough, unless the outcome is another one.
update incoming_hooks set used_at = now(), problem = %(problem)s
 where id = %(id)s and (problem <> %(problem)s or used_at is null or used_at < now() - interval '1 minute')
