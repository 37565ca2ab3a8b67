-- name: read_entries
-- One snapshot: the entries after a position, and where the log ends and begins.
select head.epoch, head.position, head.floor,
       entry.position, entry.kind, entry.conversation_id, entry.user_id, entry.subject, entry.frame
  from log_head head
  left join lateral (select * from log where log.position > %s order by log.position limit %s) entry on true
 order by entry.position
