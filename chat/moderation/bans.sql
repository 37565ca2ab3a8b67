-- name: list_activity
-- The latest first, below an id.
select id, at, actor, action, subject, detail - 'conversation'
  from audit
 where detail ? 'conversation' and (detail ->> 'conversation')::bigint = %s and id < %s
 order by id desc limit %s

-- name: insert_ban
insert into bans (conversation_id, user_id, banned_by, reason) values (%s, %s, %s, %s)
    on conflict (conversation_id, user_id) do update set reason = excluded.reason

-- name: delete_ban
delete from bans where conversation_id = %s and user_id = %s returning user_id

-- name: list_bans
select user_id, banned_by, reason, at from bans
 where conversation_id = %s and user_id > %s order by user_id limit %s
