-- name: insert_ban
insert into bans (conversation_id, user_id, banned_by, reason) values (%s, %s, %s, %s)
    on conflict (conversation_id, user_id) do update set reason = excluded.reason

-- name: delete_ban
delete from bans where conversation_id = %s and user_id = %s returning user_id

-- name: list_bans
select user_id, banned_by, reason, at from bans
 where conversation_id = %s and user_id > %s order by user_id limit %s
