-- name: begin_import
-- The import's id, and the number of records of this file that are imported already.
insert into imports (print) values (%s) on conflict (print) do update set ended_at = null returning id, records

-- name: link_job
update import_jobs set import_id = %s where id = %s

-- name: find_without_avatar
-- Those of the users whom an import has created and who have no avatar.
select u.id from users u join imported_users i on i.user_id = u.id
 where u.id = any(%s) and u.avatar is null and u.deleted_at is null and i.print is not null

-- name: force_indexes
-- The tables grow fast while their statistics say that they are empty: PostgreSQL would scan them for each group.
select set_config(name, 'off', true) from (values ('enable_seqscan'), ('enable_hashjoin'), ('enable_mergejoin')) as plan (name)

-- name: update_statistics
analyze messages

-- name: move_import
update imports set records = %s where print = %s

-- name: end_import
update imports set ended_at = now() where print = %s

-- name: find_ownerless
-- Conversations without an owner, and their new owner: the creator if still a member, otherwise the first admin of the
-- server, otherwise the member who joined first.
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
