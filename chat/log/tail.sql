-- name: read_entries
-- In one snapshot: the entries after a position, and the head of the log.
select head.epoch, head.position, head.floor,
       entry.position, entry.kind, entry.conversation_id, entry.user_id, entry.subject, entry.frame
  from log_head head
  left join lateral (select * from log where log.position > %s order by log.position limit %s) entry on true
 order by entry.position
