-- name: end_stuck
-- Sessions of nodes that wait for their node's next word in the middle of a transaction. The function stands above the
-- conditions, not among them, where it could be called before the others have been looked at.
select pid, client_addr, client_port, pg_terminate_backend(pid) from pg_stat_activity
 where datname = current_database() and usename = current_user and application_name = 'tandem'
   and xact_start is not null and wait_event = 'ClientRead'
   and state_change < clock_timestamp() - make_interval(secs => %s)
