-- name: insert_invite
insert into invites (code_hash, uses_left, created_by, expires_at)
values (%(digest)s, %(uses)s, %(user_id)s, now() + make_interval(days => %(days)s))
returning to_char(expires_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')

-- name: use_invite
-- No row when it is unknown, used up or expired.
update invites set uses_left = uses_left - 1
 where code_hash = %s and uses_left > 0 and expires_at > now()
returning uses_left
