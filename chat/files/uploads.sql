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
                      and (%(only)s::bigint[] is null or c.id = any(%(only)s::bigint[]))
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

-- name: remove_abandoned
-- Uploads, complete or not, that are in no message after this many seconds, and in none that is scheduled.
update files f set removed_at = now()
 where conversation_id is null and removed_at is null and touched_at < now() - make_interval(secs => %s)
   and not exists (select from scheduled_messages s where s.user_id = f.owner_id and f.id = any(s.files))

-- name: list_removed
select id from files where removed_at is not null order by id limit %s

-- name: drop_file
delete from files where id = %s and removed_at is not null

-- name: lock_files
-- The files that posts want to attach, locked in id order until the commit.
select id, owner_id, name, size, received, type, width, height, previewed, ready_at is not null
  from files where id = any(%s::bigint[]) and conversation_id is null and removed_at is null and not for_import
 order by id for no key update

-- name: attach_files
update files f set conversation_id = new.conversation_id, seq = new.seq, metadata = ''
  from unnest(%s::bigint[], %s::bigint[], %s::bigint[]) as new (id, conversation_id, seq) where f.id = new.id

-- name: show_files
update messages m set files = new.files::jsonb
  from unnest(%s::bigint[], %s::bigint[], %s::text[]) as new (conversation_id, seq, files)
 where m.conversation_id = new.conversation_id and m.seq = new.seq

-- name: detach_files
-- The message is deleted, or keeps only some of its files.
update files set removed_at = now()
 where conversation_id = %s and seq = %s and removed_at is null and id <> all(%s::bigint[])

-- name: free_files
-- The message was taken back. The files are uploads of their owner again.
update files set conversation_id = null, seq = null, touched_at = now()
 where conversation_id = %s and seq = %s and removed_at is null
