-- name: count_links
-- Active links.
select count(*) from links where conversation_id = %s and uses_left > 0 and expires_at > now()

-- name: insert_link
insert into links (conversation_id, code_hash, uses_left, made_by, expires_at)
values (%s, %s, %s, %s, now() + make_interval(days => %s))
returning id, uses_left, made_by, made_at, expires_at

-- name: list_links
select id, uses_left, made_by, made_at, expires_at from links
 where conversation_id = %s and uses_left > 0 and expires_at > now() order by id

-- name: delete_link
delete from links where conversation_id = %s and id = %s returning id

-- name: find_link
-- The conversation of an active link.
select conversation_id from links where code_hash = %s and uses_left > 0 and expires_at > now()

-- name: use_link
-- No row if the link has been used up or revoked since it was found.
update links set uses_left = uses_left - 1
 where code_hash = %s and uses_left > 0 and expires_at > now()
returning id

-- name: preview_link
-- What a visitor with the code sees of an active link.
select l.made_by, u.name, u.display_name, c.kind, c.name, l.expires_at
  from links l
  join conversations c on c.id = l.conversation_id and c.archived_at is null and not c.blocked
  left join users u on u.id = l.made_by and u.deleted_at is null
 where l.code_hash = %s and l.uses_left > 0 and l.expires_at > now()
