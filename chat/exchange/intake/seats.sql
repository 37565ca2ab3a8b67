-- name: lock_people
-- Their memberships' foreign keys would lock them later, and no lock may come after the log's head.
select id from users where id = any(%s) order by id for key share

-- name: find_inhabited
-- In which of these conversations somebody is.
select distinct conversation_id from memberships where conversation_id = any(%s) and until is null

-- name: find_pinned
select asked.n from unnest(%s::bigint[], %s::bigint[]) with ordinality as asked (conversation_id, seq, n)
  join messages m on m.conversation_id = asked.conversation_id and m.seq = asked.seq and m.pinned is not null

-- name: find_seated
select asked.n from unnest(%s::bigint[], %s::bigint[]) with ordinality as asked (conversation_id, user_id, n)
  join memberships m on m.conversation_id = asked.conversation_id and m.user_id = asked.user_id and m.until is null

-- name: find_listening
-- Who of them may have a device that hears of it.
select distinct user_id from sessions where user_id = any(%s) and ended_at is null and expires_at > now()

-- name: insert_seats
insert into memberships (conversation_id, user_id, role, since, joined_at, read_seq, level, muted_until)
select s.conversation_id, s.user_id, s.role, s.since, coalesce(s.joined_at, now()),
       case when s.read_seq < 0 then c.last_seq else s.read_seq end, s.level, s.muted_until
  from unnest(%s::bigint[], %s::bigint[], %s::text[], %s::bigint[], %s::timestamptz[], %s::bigint[], %s::text[],
              %s::timestamptz[])
       as s (conversation_id, user_id, role, since, joined_at, read_seq, level, muted_until)
  join conversations c on c.id = s.conversation_id

-- name: move_marks
update memberships m set read_seq = new.seq
  from unnest(%s::bigint[], %s::bigint[], %s::bigint[]) as new (conversation_id, user_id, seq)
 where m.conversation_id = new.conversation_id and m.user_id = new.user_id and m.until is null and m.read_seq < new.seq

-- name: insert_follows
insert into thread_follows (conversation_id, user_id, root_seq, read_seq)
select * from unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[]) on conflict do nothing

-- name: insert_bans
insert into bans (conversation_id, user_id, banned_by, reason, at)
select * from unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::timestamptz[]) on conflict do nothing
