-- name: add_conversation
-- The conversation of all probe accounts, under an id that no other conversation gets.
insert into conversations (id, kind, name, private) overriding system value values (%s, 'group', 'canaries', true)
on conflict do nothing

-- name: add_member
-- A member from the log's beginning: no one watches these members, so nothing is announced.
insert into memberships (conversation_id, user_id, since) select %s, %s, 0
 where not exists (select from memberships where conversation_id = %s and user_id = %s)

-- name: drop_old_messages
delete from messages where conversation_id = %s and created_at < now() - interval '1 hour'
