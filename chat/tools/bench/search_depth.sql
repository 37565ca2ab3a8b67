-- name: read_scans
-- How often this session has read tables from end to end, and indexes (true), as far as it has not told of it yet.
select relname, relkind = 'i', pg_stat_get_xact_numscans(oid) from pg_class
 where relnamespace = 'public'::regnamespace and relkind in ('r', 'i') and pg_stat_get_xact_numscans(oid) > 0
