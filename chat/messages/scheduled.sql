-- name: lock_user
select from users where id = %s for no key update

-- name: find_repeated
-- What an earlier attempt has stored: a scheduled message, or the message that it became.
select s.id, s.conversation_id, s.at, s.draft, s.problem, s.created_at from scheduled_messages s
 where s.user_id = %(user)s and s.conversation_id = %(conversation)s and s.client_id = %(client_id)s

-- name: find_sent
select from messages where conversation_id = %(conversation)s and author_id = %(user)s and client_id = %(client_id)s

-- name: count_scheduled
select count(*) from scheduled_messages where user_id = %s

-- name: insert_scheduled
insert into scheduled_messages (user_id, conversation_id, client_id, at, draft, files)
values (%(user)s, %(conversation)s, %(client_id)s, %(at)s, %(draft)s, %(files)s)
returning id, conversation_id, at, draft, problem, created_at

-- name: list_scheduled
select id, conversation_id, at, draft, problem, created_at from scheduled_messages
 where user_id = %s and id > %s order by id

-- name: list_files
select id, owner_id, name, size, received, type, width, height, previewed, ready_at is not null
  from files where id = any(%s::bigint[]) and removed_at is null

-- name: lock_scheduled
select id, conversation_id, at, draft, problem, created_at, attempted from scheduled_messages
 where user_id = %s and id = %s for update

-- name: change_scheduled
update scheduled_messages set at = %(at)s, draft = %(draft)s, files = %(files)s, problem = %(problem)s where id = %(id)s
returning id, conversation_id, at, draft, problem, created_at

-- name: delete_scheduled
delete from scheduled_messages where id = any(%s)

-- name: touch_files
-- The author has time to post them, or to schedule them again.
update files set touched_at = now() where id = any(%s::bigint[]) and conversation_id is null and removed_at is null

-- name: take_due
-- Another node waits for none of these: it takes others, or the same ones after this node had its time. A bot whose key was
-- revoked, or has expired, posts nothing more.
update scheduled_messages s set taken_until = now() + make_interval(secs => %(seconds)s), attempted = true
  from (select id from scheduled_messages
         where at <= now() and problem is null and (taken_until is null or taken_until <= now())
         order by at, id limit %(most)s for update skip locked) due
 where s.id = due.id
returning s.id, s.user_id, s.conversation_id, s.draft, (
       select u.disabled_at is not null
              or u.bot and not exists (select from sessions k
                                        where k.user_id = u.id and k.ended_at is null and k.expires_at > now())
         from users u where u.id = s.user_id)

-- name: take_one
update scheduled_messages set taken_until = now() + make_interval(secs => %(seconds)s), attempted = true
 where id = %(id)s and user_id = %(user)s and (taken_until is null or taken_until <= now())
returning id, user_id, conversation_id, draft, false

-- name: has_scheduled
select from scheduled_messages where user_id = %s and id = %s

-- name: seconds_to_next
select extract(epoch from at - now())::float8 from scheduled_messages
 where problem is null and (taken_until is null or taken_until <= now()) order by at limit 1

-- name: note_problem
update scheduled_messages set problem = %s, taken_until = null, attempted = false where id = %s

-- name: put_back
-- It was not posted. It is tried again after some seconds.
update scheduled_messages set attempted = false, taken_until = now() + make_interval(secs => %s) where id = %s
