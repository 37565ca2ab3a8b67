-- name: begin_snapshot
-- All of the export is of one moment.
begin transaction isolation level repeatable read, read only

-- name: be_patient
-- Whoever takes the lines may be slow, but not for ever.
set statement_timeout = 0; set idle_in_transaction_session_timeout = '60s'

-- name: read_names
select id, lower(name) from users where id = any(%s)
