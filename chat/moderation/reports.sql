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
