-- name: read_end
select last_seq from conversations where id = %s

-- name: log_in
insert into sessions (user_id, token_hash, device, expires_at) values (%s, %s, 'bench', now() + interval '1 day')
