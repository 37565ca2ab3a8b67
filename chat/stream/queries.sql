-- name: read_page
-- One snapshot: where the log stands, and what is addressed to this person after a position, oldest first: at most
-- `most` entries, and no more than `bytes` unless the first alone is larger. Each conversation is one index range, so
-- the cost follows what is handed over and not what others said meanwhile.
with candidates as (
    (select entry.position, entry.frame
       from memberships m
      cross join lateral (
            select log.position, log.frame from log
             where log.conversation_id = m.conversation_id and log.user_id is null
               and log.position > %(after)s and log.position >= m.since
               and log.position <= coalesce(m.until, 9223372036854775807)
             order by log.position limit %(most)s) entry
      where m.user_id = %(user)s and (m.until is null or m.until > %(after)s)
        and (%(narrow)s::bigint[] is null or m.conversation_id = any(%(narrow)s::bigint[])))
    union all
    (select position, frame from log
      where user_id = %(user)s and position > %(after)s
        and (%(narrow)s::bigint[] is null or conversation_id = any(%(narrow)s::bigint[]))
      order by position limit %(most)s)
    union all
    (select position, frame from log
      where user_id is null and conversation_id is null and position > %(after)s
      order by position limit %(most)s)
    order by position limit %(most)s),
measured as (
    select position, frame, count(*) over () as found,
           sum(octet_length(frame)) over (order by position) - octet_length(frame) as before
      from candidates)
select head.epoch, head.position, head.floor, measured.position, measured.frame, coalesce(measured.found, 0)
  from log_head head left join measured on measured.before < %(bytes)s
 order by measured.position
