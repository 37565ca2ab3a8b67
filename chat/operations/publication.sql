-- name: claim
-- Take or renew the lease, unless another node has it. A new target begins at the end of the log.
insert into publications as p (target, epoch, position, holder, lease_until)
select %(target)s, head.epoch, head.position, %(holder)s, now() + make_interval(secs => %(lease)s) from log_head head
    on conflict (target) do update set holder = excluded.holder, lease_until = excluded.lease_until
 where p.holder = excluded.holder or p.lease_until < now()
returning epoch, position

-- name: advance
-- Move the cursor and renew the lease; no row if another node has taken it.
update publications
   set epoch = %(epoch)s, position = %(position)s, lease_until = now() + make_interval(secs => %(lease)s)
 where target = %(target)s and holder = %(holder)s
returning target

-- name: release
update publications set lease_until = now() - interval '1 second' where target = %(target)s and holder = %(holder)s
