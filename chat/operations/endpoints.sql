-- name: lock_announcements
-- One at a time: two concurrent announcements would both find nothing to end.
select pg_advisory_xact_lock(%s)

-- name: end_announcement
-- Ends the current announcement and returns its id.
update announcements set over_at = now() where over_at is null returning id

-- name: insert_announcement
insert into announcements (body, said_at) values (%s, now()) returning id, body, said_at

-- name: read_announcement
select id, body, said_at from announcements where over_at is null
