-- name: lock_head
-- The last lock of each appending transaction. Until the commit, positions are ours.
select epoch, position, origin = log_origin() as same_history,
       date_trunc('milliseconds', clock_timestamp()) as now
  from log_head for update

-- name: renew_epoch
-- After a restore or a fail-over, later positions may be used again for other content, and need another epoch. If only
-- the timeline is another one, this database has a beginning of the earlier history, and the ended epoch stays valid up
-- to its end here. Otherwise no earlier cursor resumes.
with ended as materialized (
    select epoch, position, split_part(origin, '/', 1) = split_part(log_origin(), '/', 1)
       and split_part(origin, '/', 3) = split_part(log_origin(), '/', 3) as continued
      from log_head),
kept as (
    insert into log_epochs (epoch, until) select epoch, position from ended where continued),
forgotten as (
    delete from log_epochs using log_head, ended where not ended.continued or log_epochs.until < log_head.floor)
update log_head
   set epoch = new_epoch(), origin = log_origin(), floor = case when ended.continued then floor else log_head.position end
  from ended
returning log_head.epoch

-- name: break_epoch
-- Begin an epoch after which no earlier cursor resumes.
with forgotten as (
    delete from log_epochs)
update log_head set epoch = new_epoch(), origin = log_origin(), floor = position
returning epoch

-- name: read_epochs
select epoch, until from log_epochs

-- name: write_entries
-- Write the entries, and move the head to the last of them.
with written as (
insert into log (position, kind, conversation_id, user_id, subject, frame, at, node)
select position, kind, nullif(conversation_id, 0), nullif(user_id, 0), nullif(subject, 0), frame, %s, nullif(%s, '')
  from unnest(%s::bigint[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %b::bytea[])
       as entry (position, kind, conversation_id, user_id, subject, frame))
update log_head set position = %s

-- name: read_head
select epoch, position, floor, origin = log_origin() as same_history from log_head
