-- name: count_stored
-- The messages in these conversations, those with different ids, and the seconds between the first and the last one.
select count(*), count(distinct (conversation_id, author_id, client_id)),
       coalesce(extract(epoch from max(created_at) - min(created_at))::float8, 0)
  from messages where conversation_id = any(%s::bigint[])

-- name: make_log_old
update log set at = at - interval '30 days'

-- name: count_partitions
select count(*) from pg_inherits where inhparent = 'log'::regclass
