-- name: insert_key
insert into push_keys (private_key) values (%s) on conflict do nothing

-- name: read_key
select private_key from push_keys

-- name: drop_endpoint
-- A browser has one endpoint, also when another user logs in there.
delete from push_subscriptions where endpoint = %(endpoint)s and session_id <> %(session)s

-- name: store_subscription
-- Only for a session that has not ended; the lock waits for an end that is under way.
with live as (select id, user_id from sessions where id = %(session)s and ended_at is null for share)
insert into push_subscriptions (session_id, user_id, endpoint, public_key, secret, quiet_from, quiet_to)
select id, user_id, %(endpoint)s, %(public_key)s, %(secret)s, %(quiet_from)s, %(quiet_to)s from live
    on conflict (session_id) do update
   set endpoint = excluded.endpoint, public_key = excluded.public_key, secret = excluded.secret,
       quiet_from = excluded.quiet_from, quiet_to = excluded.quiet_to, failures = 0
returning id

-- name: drop_subscription
delete from push_subscriptions where session_id = %s

-- name: are_wanted
-- Whether any device or address can be notified, and whether any user has keywords.
select exists (select from push_subscriptions)
       or %(mail)s and (exists (select from email_addresses where address <> '' and wanted)
                        or exists (select from users where email <> '' and disabled_at is null)),
       exists (select from keywords)

-- name: enqueue
-- The subscriptions and e-mails of all whom these messages call: members who are mentioned, by name or by a keyword, or who
-- get all messages of a group or direct conversation. The app has the same rule (web/app/notify/notification-rules.ts).
-- Returns how many notifications were queued for devices, and for e-mails.
with calling as materialized (
    select m.conversation_id, m.seq, m.author_id, m.mentions, m.mentions_all, c.kind
      from unnest(%(conversations)s::bigint[], %(seqs)s::bigint[]) as new (conversation_id, seq)
      join messages m on m.conversation_id = new.conversation_id and m.seq = new.seq
      join conversations c on c.id = m.conversation_id
     where m.deleted_at is null and m.streamed is distinct from 'running' and not is_probe(m.author_id)
       and m.created_at > now() - make_interval(secs => %(news)s)
       and (c.kind <> 'channel' or m.mentions_all is not null
            or exists (select from mentions x where x.conversation_id = m.conversation_id and x.seq = m.seq))
), called as materialized (
    select m.conversation_id, m.seq, b.user_id
      from calling m
      join memberships b on b.conversation_id = m.conversation_id and b.until is null and b.user_id <> m.author_id
      join users u on u.id = b.user_id
     cross join lateral (
           select level_of(b.level, b.own_level, m.kind, u.notify, (select t.notify from team t)) as level) chosen
     where b.read_seq < m.seq and chosen.level <> 'nothing' and (b.muted_until is null or b.muted_until < now())
       and (m.mentions_all is not null
            or exists (select from mentions x
                        where x.conversation_id = m.conversation_id and x.seq = m.seq and x.user_id = b.user_id)
            or (m.kind <> 'channel' and chosen.level = 'all'))
       and not exists (select from blocks k where k.user_id = b.user_id and k.blocked_id = m.author_id)
), pushed as (
    insert into push_queue (subscription_id, conversation_id, seq, user_id)
    select s.id, called.conversation_id, called.seq, s.user_id
      from called join push_subscriptions s on s.user_id = called.user_id
        on conflict do nothing
    returning 1
), mailed as (
    insert into email_queue (user_id, conversation_id, seq)
    select called.user_id, called.conversation_id, called.seq
      from called join users u on u.id = called.user_id left join email_addresses e on e.user_id = u.id
     where %(mail)s and coalesce(e.wanted, true)
       and coalesce(nullif(u.email, ''), e.address, '') not in ('', coalesce(e.bounced, ''))
        on conflict do nothing
    returning user_id
), timed as (
    insert into email_due (user_id, due_at)
    select distinct user_id, now() + make_interval(secs => %(after)s) from mailed order by user_id
        on conflict (user_id) do update set due_at = email_due.due_at  -- which waits for an e-mail that is being settled
)
select (select count(*) from pushed), (select count(*) from mailed)

-- name: take_due
-- A few for each user, so that one with slow devices does not hold the others up. Another node gets what this one does
-- not settle in time.
with ranked as (
    select subscription_id, conversation_id, seq, row_number() over (partition by user_id order by due_at) as turn
      from (select * from push_queue where due_at <= now() and user_id <> all(%(busy)s::bigint[])
             order by due_at limit 1000) due
), due as (
    select q.subscription_id, q.conversation_id, q.seq
      from ranked r join push_queue q using (subscription_id, conversation_id, seq)
     where r.turn <= %(each)s and q.due_at <= now() limit %(most)s
       for update of q skip locked
)
update push_queue q set due_at = now() + make_interval(secs => %(lease)s), attempts = q.attempts + 1
  from due
 where q.subscription_id = due.subscription_id and q.conversation_id = due.conversation_id and q.seq = due.seq
returning q.subscription_id, q.conversation_id, q.seq, q.user_id, q.attempts, q.waited

-- name: describe
-- Those that are still to be sent: the session has not ended, and the message is still there, unread and not muted.
select s.id, m.conversation_id, m.seq, s.endpoint, s.public_key, s.secret, c.kind, c.name,
       coalesce(nullif(a.display_name, ''), a.name), left(m.body, %(letters)s), m.files, m.type
  from unnest(%(subscriptions)s::bigint[], %(conversations)s::bigint[], %(seqs)s::bigint[])
       as due (subscription_id, conversation_id, seq)
  join push_subscriptions s on s.id = due.subscription_id
  join sessions t on t.id = s.session_id and t.ended_at is null and t.expires_at > now()
   and t.last_seen_at > now() - make_interval(days => %(idle_days)s)
  join users u on u.id = s.user_id and u.disabled_at is null
  join messages m on m.conversation_id = due.conversation_id and m.seq = due.seq and m.deleted_at is null
   and m.created_at > now() - make_interval(secs => %(news)s)
  join users a on a.id = m.author_id
  join conversations c on c.id = m.conversation_id
  join memberships b on b.conversation_id = m.conversation_id and b.user_id = s.user_id and b.until is null
   and b.read_seq < m.seq and (b.muted_until is null or b.muted_until < now())
   and level_of(b.level, b.own_level, c.kind, u.notify, (select t.notify from team t)) <> 'nothing'
  left join presence_choices p on p.user_id = s.user_id and p.mode = 'dnd'
   and (p.until_ms = 0 or p.until_ms > extract(epoch from now()) * 1000)
 cross join lateral (select extract(epoch from now())::bigint / 60 %% 1440 as minute) clock
 where p.user_id is null
   and (case when s.quiet_from <= s.quiet_to then clock.minute >= s.quiet_from and clock.minute < s.quiet_to
             else clock.minute >= s.quiet_from or clock.minute < s.quiet_to end) is not true

-- name: wait
-- The user is active: look again when the user had time to read it.
update push_queue set waited = true, attempts = 0, due_at = now() + make_interval(secs => %(seconds)s)
 where subscription_id = %(subscription)s and conversation_id = %(conversation)s and seq = %(seq)s

-- name: retry
update push_queue set due_at = now() + make_interval(secs => %(seconds)s)
 where subscription_id = %(subscription)s and conversation_id = %(conversation)s and seq = %(seq)s

-- name: settle
delete from push_queue
 where subscription_id = %(subscription)s and conversation_id = %(conversation)s and seq = %(seq)s

-- name: note_arrival
update push_subscriptions set failures = 0 where id = %s and failures > 0

-- name: note_failure
-- One that fails again and again is dropped; the app subscribes again when it is opened.
with dropped as (delete from push_subscriptions where id = %(subscription)s and failures >= %(most)s)
update push_subscriptions set failures = failures + 1 where id = %(subscription)s and failures < %(most)s

-- name: drop_gone
with gone as (delete from push_subscriptions where id = %(subscription)s)
delete from push_queue where subscription_id = %(subscription)s
