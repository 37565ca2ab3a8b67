-- name: read_settings
select name, setting from pg_settings
 where name in ('fsync', 'full_page_writes', 'synchronous_commit', 'max_connections', 'superuser_reserved_connections',
                'idle_session_timeout', 'transaction_timeout', 'data_checksums')

-- name: read_clock
select extract(epoch from clock_timestamp())
