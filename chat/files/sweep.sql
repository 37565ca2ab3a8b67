-- name: remove_forgotten
-- Begun or ready, and in no message after so long.
update files set removed_at = now()
 where conversation_id is null and removed_at is null and touched_at < now() - make_interval(secs => %s)

-- name: list_removed
select id from files where removed_at is not null order by id limit %s

-- name: drop_file
delete from files where id = %s and removed_at is not null
