-- name: begin_import
-- How far this file came before.
insert into imports (print) values (%s) on conflict (print) do update set ended_at = null returning records

-- name: look_up_by_index
-- The tables are new and grow fast: PostgreSQL takes them for empty, and would read all of them for each group.
select set_config(name, 'off', true) from (values ('enable_seqscan'), ('enable_hashjoin'), ('enable_mergejoin')) as plan (name)

-- name: count_anew
analyze messages

-- name: move_import
update imports set records = %s where print = %s

-- name: end_import
update imports set ended_at = now() where print = %s

-- name: find_ownerless
-- Conversations that nobody runs, and who shall: who began it there and is in, or else an admin of the server, or
-- else who is in the longest.
select c.id, coalesce(
           (select m.user_id from memberships m
             where m.conversation_id = c.id and m.user_id = c.created_by and m.until is null),
           (select u.id from users u where u.role = 'admin' and u.disabled_at is null order by u.id limit 1),
           (select m.user_id from memberships m where m.conversation_id = c.id and m.until is null
             order by m.joined_at, m.user_id limit 1))
  from conversations c
 where c.id = any(%s) and c.kind <> 'direct'
   and not exists (select from memberships m where m.conversation_id = c.id and m.role = 'owner' and m.until is null)
 order by c.id
