-- name: read_settings
select name, setting from pg_settings
 where name in ('fsync', 'full_page_writes', 'synchronous_commit', 'max_connections', 'superuser_reserved_connections',
                'idle_session_timeout', 'transaction_timeout', 'data_checksums')

-- name: read_clock
select extract(epoch from clock_timestamp())

-- name: read_role
select current_user,
       (select rolsuper from pg_roles where rolname = current_user),
       exists (select from pg_tables where tablename = 'log_head' and tableowner = current_user)
