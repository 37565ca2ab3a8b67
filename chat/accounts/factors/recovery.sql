-- name: delete_codes
delete from recovery_codes where user_id = %s

-- name: insert_codes
insert into recovery_codes (user_id, code_hash) select %s, unnest(%s::bytea[])

-- name: use_code
update recovery_codes set used_at = now() where user_id = %s and code_hash = %s and used_at is null
returning user_id
