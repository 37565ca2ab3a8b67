-- name: find_reaction
-- Which one this person is of those who have reacted so, how many they are, and who comes after those that the message
-- shows (as the view message_rows has it).
select coalesce(array_position(users, %s), 0), cardinality(users), users[101]
  from reactions where conversation_id = %s and seq = %s and emoji = %s

-- name: add_reaction
insert into reactions (conversation_id, seq, emoji, since, users) values (%s, %s, %s, %s, array[%s])
    on conflict (conversation_id, seq, emoji) do update set users = reactions.users || excluded.users

-- name: remove_reaction
update reactions set users = array_remove(users, %s) where conversation_id = %s and seq = %s and emoji = %s

-- name: drop_reaction
delete from reactions where conversation_id = %s and seq = %s and emoji = %s
