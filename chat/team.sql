-- name: lock_general
-- The channel of everyone who joins, unless it is archived.
select c.id, c.kind, c.name, c.topic, c.private, false, c.last_seq, c.slow_seconds, c.read_only, c.blocked
  from team t join conversations c on c.id = t.general_id
 where c.archived_at is null and not c.blocked
   for no key update of c

-- name: find_newcomers
-- Those of the users who have not been greeted, and whether each is to be a member: a person who may log in, has not left
-- the channel before, and is not the copy of a user of another chat.
select u.id, u.disabled_at is null and u.deleted_at is null and not u.bot and not is_probe(u.id)
             and not exists (select from imported_users i where i.user_id = u.id and i.print is not null)
             and not exists (select from memberships m where m.conversation_id = %(general)s and m.user_id = u.id)
             and not exists (select from bans b where b.conversation_id = %(general)s and b.user_id = u.id)
  from users u
 where u.id = any(%(users)s) and not u.greeted
 order by u.id for no key update of u

-- name: note_greeted
update users set greeted = true where id = any(%s)

-- name: list_not_greeted
select id from users
 where not greeted and exists (select from team where general_id is not null)
 order by id limit %s

-- name: lock_channel
select id, kind, name, topic, private, false, last_seq, slow_seconds, read_only, blocked
  from conversations where look_key = %s and kind = 'channel' and not private and archived_at is null and not blocked
   for no key update

-- name: set_general
insert into team (single, general_id) values (true, %(general)s)
on conflict (single) do update set general_id = %(general)s

-- name: count_users
-- People with an account: active and disabled ones.
select count(*) filter (where disabled_at is null), count(*) filter (where disabled_at is not null)
  from users u where deleted_at is null and not bot and not is_probe(u.id)

-- name: count_accounts
-- Enabled accounts of people, of users of an application, and of bots; and disabled accounts of people.
select count(*) filter (where not bot and disabled_at is null and external_id is null),
       count(*) filter (where not bot and disabled_at is null and external_id is not null),
       count(*) filter (where bot and disabled_at is null),
       count(*) filter (where not bot and disabled_at is not null)
  from users u where deleted_at is null and not is_probe(u.id)

-- name: count_active
-- People with a session that was used in the last 24 hours, 7 days and 30 days.
select count(*) filter (where seen.at > now() - interval '24 hours'), count(*) filter (where seen.at > now() - interval '7 days'),
       count(*)
  from (select s.user_id, max(s.last_seen_at) as at from sessions s
         where s.last_seen_at > now() - interval '30 days' group by s.user_id) seen
  join users u on u.id = seen.user_id
 where not u.bot and u.deleted_at is null and not is_probe(u.id)

-- name: count_messages
-- All messages that were ever posted: the last number of each conversation is how many it has had.
select coalesce(sum(last_seq), 0)::bigint from conversations where not is_probe(id)

-- name: count_days
-- Messages of the last days, in UTC, by day, and by conversation: the busiest public channels, the other public ones
-- together, and all others together. In a conversation with more than a few, messages are not counted but numbered: a day
-- has as many as lie between its first number and that of the next day that has any. So each day of a conversation costs
-- one look at an index at most. Of more than `most` conversations, those with most messages count.
with recursive since as (
    select date_trunc('day', now(), 'UTC') - make_interval(hours => 24 * (%(days)s - 1)) as at
), known as (
    select id, kind = 'channel' and not private as public, name, last_seq from conversations
     where last_seq > 0 and not is_probe(id) order by last_seq desc limit %(most)s
), active as materialized (
    select c.id, c.last_seq, first.seq, first.day
      from known c
     cross join lateral (
           select m.seq, date_trunc('day', m.created_at, 'UTC') as day from messages m
            where m.conversation_id = c.id and m.created_at >= (select at from since)
            order by m.created_at limit 1) first
), walk as (
    select id, last_seq, seq, day from active where last_seq - seq >= %(few)s
    union all
    select walk.id, walk.last_seq, next.seq, next.day
      from walk
     cross join lateral (
           select m.seq, date_trunc('day', m.created_at, 'UTC') as day from messages m
            where m.conversation_id = walk.id and m.created_at >= walk.day + interval '24 hours'
            order by m.created_at limit 1) next
), counted as (
    select id, day,
           greatest(0, coalesce(lead(seq) over (partition by id order by day), last_seq + 1) - seq) as messages
      from walk
    union all
    select active.id, one.day, count(*)
      from active
     cross join lateral (
           select date_trunc('day', m.created_at, 'UTC') as day from messages m
            where m.conversation_id = active.id and m.created_at >= (select at from since)
           offset 0) one  -- never joined in another way, which would read all messages
     where active.last_seq - active.seq < %(few)s group by active.id, one.day
), ranked as (
    select id, public, name, sum(messages) as messages, rank() over (partition by public order by sum(messages) desc, id) as place
      from counted join known using (id) group by id, public, name
), sorted as (
    select case when not public then 'private' when place <= %(named)s then 'channel' else 'public' end as part,
           id, name, messages
      from ranked
)
select 'day', to_char(day at time zone 'UTC', 'YYYY-MM-DD'), null::bigint, 0::bigint, sum(messages)::bigint from counted group by day
union all
select part, min(name) filter (where part = 'channel'), min(id) filter (where part = 'channel'), count(*),
       sum(messages)::bigint
  from sorted group by part, case when part = 'channel' then id end
 order by 1, 5 desc, 3

-- name: measure_files
-- Stored files by kind. The server recognizes types by content; documents of office programs are found as archives by some.
-- Types are few, so they are summed first, and only then sorted into kinds.
select case when for_import then 'import'
            when starts_with(type, 'image/') then 'image'
            when starts_with(type, 'video/') then 'video'
            when starts_with(type, 'audio/') then 'audio'
            when starts_with(type, 'text/') or type in ('application/pdf', 'application/rtf', 'application/epub+zip')
                 or type ~ '^application/(msword|vnd\.(ms-|openxmlformats-|oasis\.))' then 'document'
            when type ~ '^application/(x-)?(zip|gzip|tar|7z-compressed|rar|rar-compressed|bzip2|xz|zstd|lzip|compress)$' then 'archive'
            else 'other' end,
       sum(files)::bigint, sum(bytes)::bigint
  from (select type, for_import, count(*) as files, sum(received) as bytes from files
         where removed_at is null group by type, for_import) summed
 group by 1 order by 3 desc, 1

-- name: measure_database
select pg_database_size(current_database())

-- name: sum_notifications
-- Since when notifications are counted; those for devices and e-mails of the last 24 hours and of 7 days; and how many
-- devices are subscribed.
select min(hour),
       coalesce(sum(sent) filter (where kind = 'push' and hour > now() - interval '24 hours'), 0)::bigint,
       coalesce(sum(sent) filter (where kind = 'push' and hour > now() - interval '7 days'), 0)::bigint,
       coalesce(sum(failed) filter (where kind = 'push' and hour > now() - interval '7 days'), 0)::bigint,
       coalesce(sum(sent) filter (where kind = 'email' and hour > now() - interval '24 hours'), 0)::bigint,
       coalesce(sum(sent) filter (where kind = 'email' and hour > now() - interval '7 days'), 0)::bigint,
       coalesce(sum(failed) filter (where kind = 'email' and hour > now() - interval '7 days'), 0)::bigint,
       (select count(*) from push_subscriptions)
  from notification_counts

-- name: count_hooks
-- Incoming hooks, outgoing ones and commands: how many work, fail, and are off. A failing incoming hook has refused its
-- last delivery.
select 'incoming', count(*) filter (where not disabled and problem = ''), count(*) filter (where not disabled and problem <> ''),
       count(*) filter (where disabled)
  from incoming_hooks
union all
select case when h.command is null then 'outgoing' else 'command' end,
       count(*) filter (where state.name = 'running'), count(*) filter (where state.name = 'failing'),
       count(*) filter (where state.name = 'disabled')
  from outgoing_hooks h
  left join subscriptions s on s.target = 'hook:' || h.id
  left join lateral (select d.problem from hook_deliveries d where d.hook_id = h.id and h.command is not null
                      order by d.id desc limit 1) last on true
 cross join lateral (
       select case when h.disabled or s.disabled then 'disabled'
                   when s.attempts > 0 or last.problem <> '' then 'failing' else 'running' end as name) state
 group by 1

-- name: add_counts
insert into notification_counts (hour, kind, sent, failed)
values (date_trunc('hour', now(), 'UTC'), %(kind)s, %(sent)s, %(failed)s)
    on conflict (hour, kind) do update
   set sent = notification_counts.sent + excluded.sent, failed = notification_counts.failed + excluded.failed

-- name: drop_old_counts
delete from notification_counts where hour < now() - make_interval(days => %s)
