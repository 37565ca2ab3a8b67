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
