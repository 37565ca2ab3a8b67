-- name: insert_ban
insert into bans (conversation_id, user_id, banned_by, reason) values (%s, %s, %s, %s)
    on conflict (conversation_id, user_id) do update set reason = excluded.reason

-- name: delete_ban
delete from bans where conversation_id = %s and user_id = %s returning user_id

-- name: list_bans
select user_id, banned_by, reason, at from bans
 where conversation_id = %s and user_id > %s order by user_id limit %s

-- name: count_links
-- Active links.
select count(*) from links where conversation_id = %s and uses_left > 0 and expires_at > now()

-- name: insert_link
insert into links (conversation_id, code_hash, uses_left, made_by, expires_at)
values (%s, %s, %s, %s, now() + make_interval(days => %s))
returning id, uses_left, made_by, made_at, expires_at

-- name: list_links
select id, uses_left, made_by, made_at, expires_at from links
 where conversation_id = %s and uses_left > 0 and expires_at > now() order by id

-- name: delete_link
delete from links where conversation_id = %s and id = %s returning id

-- name: find_link
-- The conversation of an active link.
select conversation_id from links where code_hash = %s and uses_left > 0 and expires_at > now()

-- name: use_link
-- No row if the link has been used up or revoked since it was found.
update links set uses_left = uses_left - 1
 where code_hash = %s and uses_left > 0 and expires_at > now()
returning id

-- name: preview_link
-- What a visitor with the code sees of an active link.
select l.made_by, u.name, u.display_name, c.kind, c.name, l.expires_at
  from links l
  join conversations c on c.id = l.conversation_id and c.archived_at is null and not c.blocked
  left join users u on u.id = l.made_by and u.deleted_at is null
 where l.code_hash = %s and l.uses_left > 0 and l.expires_at > now()

-- name: insert_report
-- No row if this user has reported this message already.
insert into reports (conversation_id, seq, author_id, body, reporter_id, reason)
values (%(conversation)s, %(seq)s, %(author)s, %(body)s, %(reporter)s, %(reason)s)
    on conflict do nothing
returning id

-- name: find_report
select id from reports where conversation_id = %s and seq = %s and reporter_id = %s

-- name: list_reviewers
-- The users who may resolve a report: owners and admins of the conversation, and admins of the server.
select m.user_id from memberships m
 where m.conversation_id = %(conversation)s and m.until is null and m.role in ('owner', 'admin')
 union
select u.id from users u where u.role = 'admin' and u.disabled_at is null
 limit 200

-- name: list_reports
-- The latest first, below an id. Admins of the server see all, other users those of conversations they manage.
select r.id, r.conversation_id, r.seq, r.author_id, r.body, r.reporter_id, r.reason, r.at, r.outcome, r.note,
       r.resolved_by, r.resolved_at
  from reports r
 where r.id < %(before)s and (%(only)s::bigint is null or r.id = %(only)s)
   and (%(open)s::boolean is null or (r.resolved_at is null) = %(open)s)
   and (%(admin)s or exists (select from memberships m
                              where m.conversation_id = r.conversation_id and m.user_id = %(user)s
                                and m.until is null and m.role in ('owner', 'admin')))
 order by r.id desc limit %(most)s

-- name: resolve_report
-- No row if another user has resolved it meanwhile.
update reports set outcome = %s, note = %s, resolved_by = %s, resolved_at = now()
 where id = %s and resolved_at is null
returning conversation_id, seq

-- name: list_activity
-- The latest first, below an id.
select id, at, actor, action, subject, detail - 'conversation'
  from audit
 where detail ? 'conversation' and (detail ->> 'conversation')::bigint = %s and id < %s
 order by id desc limit %s
