-- name: read_archiver
-- Whether an archive is kept, its failures, the last archived segment, the segment being written ('' if unknown), and the
-- size of a segment.
select current_setting('archive_mode') <> 'off', failed_count, coalesce(last_archived_wal, ''),
       case when pg_is_in_recovery() then '' else pg_walfile_name(pg_current_wal_lsn()) end,
       pg_size_bytes(current_setting('wal_segment_size'))
  from pg_stat_archiver
