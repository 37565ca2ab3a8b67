-- name: find_bot
select user_id from service_bots where purpose = 'reminders'

-- name: lock_bots
select pg_advisory_xact_lock(%s)

-- name: insert_bot
insert into service_bots (purpose, user_id) values ('reminders', %s)

-- name: lock_user
select from users where id = %s for no key update

-- name: find_reminder
select id, text, at, conversation_id, seq, created_at from reminders where user_id = %s and client_id = %s

-- name: count_reminders
select count(*) from reminders where user_id = %s

-- name: insert_reminder
insert into reminders (user_id, client_id, text, at, conversation_id, seq, place_id)
values (%(user)s, %(client_id)s, %(text)s, %(at)s, %(conversation)s, %(seq)s, %(place)s)
returning id, text, at, conversation_id, seq, created_at

-- name: list_reminders
select id, text, at, conversation_id, seq, created_at from reminders where user_id = %s order by at, id

-- name: delete_reminder
delete from reminders where user_id = %s and id = %s returning id

-- name: take_due
-- Another node waits for none of these: it takes others, or the same ones after this node had its time.
update reminders r set taken_until = now() + make_interval(secs => %(seconds)s)
  from (select id from reminders where at <= now() and (taken_until is null or taken_until <= now())
         order by at, id limit %(most)s for update skip locked) due
 where r.id = due.id
returning r.id, r.text, r.conversation_id, r.seq, r.place_id, (select user_id from service_bots where purpose = 'reminders')

-- name: seconds_to_next
select extract(epoch from at - now())::float8 from reminders
 where taken_until is null or taken_until <= now() order by at limit 1

-- name: delete_delivered
delete from reminders where id = any(%s)
