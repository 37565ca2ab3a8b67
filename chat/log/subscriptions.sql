-- name: add
-- A new subscription begins at the end of the log; one that exists is left as it is.
insert into subscriptions (target, kind, conversation_id, kinds, epoch, position)
select %(target)s, %(kind)s, %(conversation)s, %(kinds)s, head.epoch, head.position from log_head head
    on conflict (target) do nothing

-- name: remove
delete from subscriptions where target = %s

-- name: enable
-- Continue at the cursor.
update subscriptions set disabled = false, attempts = 0, failing_since = null, retry_at = now(), problem = ''
 where target = %s and disabled

-- name: disable
update subscriptions set disabled = true, problem = %(problem)s, holder = null, lease_until = now()
 where target = %(target)s and not disabled
returning target

-- name: set_kinds
update subscriptions set kinds = %s where target = %s

-- name: claim
-- Take subscriptions that no node reads and that are due. A node that holds many leaves them to others for a while.
with due as (
    select target from subscriptions
     where not disabled and (kind = any(%(kinds)s) or target = any(%(targets)s))
       and (holder = %(holder)s and not target = any(%(held)s)
            or lease_until <= now() - %(patience)s and retry_at <= now() - %(patience)s)
     order by retry_at limit %(most)s for update skip locked)
update subscriptions s set holder = %(holder)s, lease_until = now() + %(lease)s
  from due where s.target = due.target
returning s.target, s.kind, s.conversation_id, s.kinds, s.epoch, s.position, s.attempts

-- name: renew
-- Those that another node has taken, or that were disabled or removed, are not returned.
update subscriptions set lease_until = now() + %(lease)s
 where target = any(%(held)s) and holder = %(holder)s and not disabled
returning target, kinds

-- name: advance
-- Move the cursor and renew the lease; no row if this node does not hold it any more.
update subscriptions
   set epoch = %(epoch)s, position = %(position)s, lease_until = now() + %(lease)s,
       attempts = 0, failing_since = null, problem = ''
 where target = %(target)s and holder = %(holder)s and not disabled
returning target

-- name: fail
-- Note the failure and give the lease back, because another node may reach the receiver.
update subscriptions
   set attempts = attempts + 1, failing_since = coalesce(failing_since, now()), retry_at = now() + %(wait)s,
       problem = %(problem)s, holder = null, lease_until = now(),
       disabled = %(final)s or coalesce(failing_since, now()) < now() - %(patience)s::interval
 where target = %(target)s and holder = %(holder)s and not disabled
returning disabled

-- name: release
update subscriptions set holder = null, lease_until = now() where target = any(%(held)s) and holder = %(holder)s

-- name: count_states
select count(*) filter (where not disabled and attempts = 0), count(*) filter (where not disabled and attempts > 0),
       count(*) filter (where disabled)
  from subscriptions

-- name: read_filtered
-- In one snapshot: the entries after a position that the subscription gets, and the head of the log. No row if this node
-- does not hold it any more.
select head.epoch, head.position, head.floor,
       entry.position, entry.kind, entry.conversation_id, entry.user_id, entry.subject, entry.frame
  from log_head head
  join subscriptions s on s.target = %(target)s and s.holder = %(holder)s and not s.disabled
  left join lateral (
       select * from log
        where log.conversation_id = s.conversation_id and log.user_id is null and log.position > %(after)s
          and log.kind = any(s.kinds)
        order by log.position limit %(limit)s) entry on true
 order by entry.position

-- name: list_subscriptions
-- With the number of entries that wait, a thousand at most.
select s.target, s.kind, s.conversation_id, s.kinds, s.epoch, s.position, s.disabled, s.attempts, s.holder,
       s.failing_since, case when s.attempts > 0 then s.retry_at end, s.problem,
       case when s.conversation_id is null then least(greatest(head.position - s.position, 0), %(most)s)
            else (select count(*) from (
                  select 1 from log where log.conversation_id = s.conversation_id and log.user_id is null
                     and log.position > s.position and log.kind = any(s.kinds) limit %(most)s) waiting)
       end
  from subscriptions s, log_head head
 where s.target > %(after)s and (%(only)s::text[] is null or s.target = any(%(only)s))
 order by s.target limit %(page)s
