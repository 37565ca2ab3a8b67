-- name: find_bot
select user_id from service_bots where purpose = 'reminders'

-- name: lock_bots
select pg_advisory_xact_lock(%s)

-- name: insert_bot
insert into service_bots (purpose, user_id) values ('reminders', %s)

-- name: lock_user
select from users where id = %s for no key update

-- name: find_reminder
select id, text, at, conversation_id, seq, created_at, post_to from reminders where user_id = %s and client_id = %s

-- name: count_reminders
select count(*) from reminders where user_id = %s

-- name: insert_reminder
insert into reminders (user_id, client_id, text, at, conversation_id, seq, place_id, post_to)
values (%(user)s, %(client_id)s, %(text)s, %(at)s, %(conversation)s, %(seq)s, %(place)s, %(post_to)s)
returning id, text, at, conversation_id, seq, created_at, post_to

-- name: list_reminders
select id, text, at, conversation_id, seq, created_at, post_to from reminders where user_id = %s order by at, id

-- name: change_reminder
-- Not while a node delivers it.
update reminders set text = coalesce(%(text)s, text), at = coalesce(%(at)s, at), taken_until = null
 where user_id = %(user)s and id = %(id)s and (taken_until is null or taken_until <= now())
returning id, text, at, conversation_id, seq, created_at, post_to

-- name: delete_reminder
delete from reminders where user_id = %s and id = %s returning id

-- name: take_due
-- Another node waits for none of these: it takes others, or the same ones after this node had its time.
update reminders r set taken_until = now() + make_interval(secs => %(seconds)s)
  from (select id from reminders where at <= now() and (taken_until is null or taken_until <= now())
         order by at, id limit %(most)s for update skip locked) due
 where r.id = due.id
returning r.id, r.text, r.conversation_id, r.seq, r.place_id, (select user_id from service_bots where purpose = 'reminders'),
          r.post_to, r.user_id, exists (select from users u where u.id = r.user_id and u.disabled_at is null and not u.bot),
          (select language from users u where u.id = r.user_id)

-- name: seconds_to_next
select extract(epoch from at - now())::float8 from reminders
 where taken_until is null or taken_until <= now() order by at limit 1

-- name: keep_for_user
-- A reminder that could not be posted in its channel reaches the user, with the channel's name if they are a member.
update reminders r set post_to = null, taken_until = null,
       text = format(%(sentence)s, r.text, coalesce((
              select '#' || c.name from conversations c
                join memberships m on m.conversation_id = c.id and m.user_id = r.user_id and m.until is null
               where c.id = r.post_to), %(unnamed)s::text), %(reason)s::text)
 where r.id = %(id)s

-- name: delete_delivered
delete from reminders where id = any(%s)
