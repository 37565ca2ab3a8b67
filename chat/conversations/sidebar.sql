-- name: read_sidebar
select version, document from sidebars where user_id = %s

-- name: find_placed
-- Those of the conversations that the user is a member of now.
select m.conversation_id from memberships m
 where m.user_id = %(user)s and m.until is null and m.conversation_id = any(%(conversations)s::bigint[])

-- name: write_sidebar
-- No row if the stored version is another one.
insert into sidebars (user_id, version, document)
select %(user)s, 1, %(document)s::jsonb
 where %(version)s = 0 or exists (select from sidebars s where s.user_id = %(user)s)
on conflict (user_id) do update set version = sidebars.version + 1, document = excluded.document
 where sidebars.version = %(version)s
returning version
