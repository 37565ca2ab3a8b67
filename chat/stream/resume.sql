-- name: read_page
-- In one snapshot: the head of the log, and the entries addressed to this user after a position, oldest first.
-- At most `most` entries, and no more than `bytes` unless the first alone is larger. Each conversation is one index
-- range, so the cost depends on what is returned, not on other messages. Of the user's current conversations, all
-- membership intervals are read; of former ones, only the entries that ended them (chat/shared/membership.py).
with stays as (
    select conversation_id, until,
           case when bool_or(until is null) over (partition by conversation_id) then since else until end as since
      from memberships where user_id = %(user)s),
candidates as (
    (select entry.*
       from stays
      cross join lateral (
            select log.position, log.kind, log.conversation_id, log.user_id, log.subject, log.frame from log
             where log.conversation_id = stays.conversation_id and log.user_id is null
               and log.position > %(after)s and log.position >= stays.since
               and log.position <= coalesce(stays.until, 9223372036854775807)
             order by log.position limit %(most)s) entry
      where (stays.until is null or stays.until > %(after)s)
        and (%(narrow)s::bigint[] is null or stays.conversation_id = any(%(narrow)s::bigint[])))
    union all
    (select position, kind, conversation_id, user_id, subject, frame from log
      where user_id = %(user)s and position > %(after)s
        and (%(narrow)s::bigint[] is null or conversation_id = any(%(narrow)s::bigint[]))
        and (conversation_id is null or kind = any(%(outsiders)s)
             or exists (select from memberships m
                         where m.user_id = %(user)s and m.conversation_id = log.conversation_id and m.until is null))
      order by position limit %(most)s)
    union all
    (select position, kind, conversation_id, user_id, subject, frame from log
      where user_id is null and conversation_id is null and position > %(after)s
      order by position limit %(most)s)
    order by position limit %(most)s),
measured as (
    select *, count(*) over () as found,
           sum(octet_length(frame)) over (order by position) - octet_length(frame) as before
      from candidates)
select head.epoch, head.position, head.floor, coalesce(measured.found, 0), measured.position, measured.kind,
       measured.conversation_id, measured.user_id, measured.subject, measured.frame
  from log_head head left join measured on measured.before < %(bytes)s
 order by measured.position

-- name: read_withheld
-- The current content of these messages. Memberships are checked again, in the same snapshot as the text.
select m.conversation_id, m.seq, m.body, m.files, m.data, m.previews
  from unnest(%(conversations)s::bigint[], %(seqs)s::bigint[]) as wanted (conversation_id, seq)
  join messages m on m.conversation_id = wanted.conversation_id and m.seq = wanted.seq and m.deleted_at is null
 where exists (select from memberships s
                where s.user_id = %(user)s and s.conversation_id = m.conversation_id and s.until is null)
