-- name: lock_owner
-- Two uploads that start at once must not both take the rest of the quota.
select from users where id = %s for no key update

-- name: sum_sizes
select coalesce(sum(size), 0)::bigint from files where owner_id = %s and removed_at is null and not for_import

-- name: insert_file
insert into files (owner_id, name, size, metadata, for_import) values (%s, %s, %s, %s, %s)
returning id, owner_id, name, size, received, type, width, height, previewed, ready_at is not null

-- name: find_upload
-- A file that its owner has not posted yet.
select id, owner_id, name, size, received, type, width, height, previewed, ready_at is not null
  from files where id = %s and owner_id = %s and conversation_id is null and removed_at is null

-- name: find_state
select received, size, metadata
  from files where id = %s and owner_id = %s and conversation_id is null and removed_at is null

-- name: find_readable
-- For its owner until it is posted, then for users who may read the message.
select f.id, f.owner_id, f.name, f.size, f.received, f.type, f.width, f.height, f.previewed, f.ready_at is not null
  from files f
 where f.id = %(file)s and f.removed_at is null
   and (f.conversation_id is null and f.owner_id = %(user)s
        or exists (select from conversations c
                    where c.id = f.conversation_id
                      and (c.kind = 'channel' and not c.private
                           or exists (select from memberships m
                                       where m.conversation_id = c.id and m.user_id = %(user)s and m.until is null))))

-- name: list_pieces
select start, size, key from file_pieces where file_id = %s order by start

-- name: move_received
-- No row if another request has moved it meanwhile, or the file is gone.
update files set received = %(received)s, pieces = pieces + 1, touched_at = now()
 where id = %(file)s and received = %(offset)s and conversation_id is null and removed_at is null
returning id

-- name: find_tail
-- The number of pieces sent, and the last stored piece.
select f.pieces, p.start, p.size, p.key
  from files f
  left join lateral (select start, size, key from file_pieces where file_id = f.id order by start desc limit 1) p on true
 where f.id = %s

-- name: drop_piece
delete from file_pieces where file_id = %s and start = %s

-- name: insert_piece
insert into file_pieces (file_id, start, size, key) values (%s, %s, %s, %s)

-- name: drop_pieces
delete from file_pieces where file_id = %s returning key

-- name: fix_size
-- For a file sent in a form, of which only the form's length was known.
update files set size = received where id = %s

-- name: make_ready
update files
   set type = %s, width = %s, height = %s, previewed = %s, ready_at = now(), touched_at = now()
 where id = %s and removed_at is null
returning id, owner_id, name, size, received, type, width, height, previewed, ready_at is not null

-- name: remove_upload
update files set removed_at = now()
 where id = %s and owner_id = %s and conversation_id is null and removed_at is null
returning id
