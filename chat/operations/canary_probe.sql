-- name: make_room
-- A conversation that only probes are in, under an id that no other gets.
insert into conversations (id, kind, name, private) overriding system value values (%s, 'group', 'canaries', true)
on conflict do nothing

-- name: take_seat
-- From the log's beginning: nobody watches this room's members, and nothing of it needs to be announced.
insert into memberships (conversation_id, user_id, since) select %s, %s, 0
 where not exists (select from memberships where conversation_id = %s and user_id = %s)

-- name: drop_old
delete from messages where conversation_id = %s and created_at < now() - interval '1 hour'
