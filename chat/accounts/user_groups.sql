-- name: lock_names
-- The trigger of users takes this lock too, shared, where a user gets a name.
select pg_advisory_xact_lock(7263395)

-- name: find_user_alike
select name from users where translate(lower(name), '10', 'lo') = translate(%s, '10', 'lo') limit 1

-- name: count_groups
select count(*) from user_groups

-- name: insert_group
-- No row if a group has this name, or one that looks like it.
insert into user_groups (name, look) values (%(name)s, translate(%(name)s, '10', 'lo')) on conflict do nothing returning id

-- name: rename_group
update user_groups set name = %(name)s, look = translate(%(name)s, '10', 'lo')
 where id = %(group)s
   and not exists (select from user_groups o where o.id <> %(group)s and o.look = translate(%(name)s, '10', 'lo'))
returning id

-- name: delete_group
delete from user_groups where id = %s

-- name: lock_group
select name from user_groups where id = %s for update

-- name: list_groups
-- With the number of members, and whether the user is one.
select g.id, g.name, (select count(*) from user_group_members m where m.group_id = g.id),
       exists (select from user_group_members m where m.group_id = g.id and m.user_id = %(user)s)
  from user_groups g order by g.name limit %(most)s

-- name: read_group
select name from user_groups where id = %s

-- name: list_members
select user_id from user_group_members where group_id = %s order by user_id

-- name: list_known
select id from users where id = any(%s) and disabled_at is null and not is_probe(id)

-- name: remove_members
delete from user_group_members where group_id = %(group)s and user_id <> all(%(users)s::bigint[])

-- name: add_members
insert into user_group_members (group_id, user_id)
select %(group)s, new.id from unnest(%(users)s::bigint[]) as new (id) on conflict do nothing
