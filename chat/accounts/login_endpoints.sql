-- name: note_proof
update sessions set proved_at = now() where id = %s and ended_at is null
