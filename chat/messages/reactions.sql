-- name: find_reaction
-- The user's number among those with this reaction, their count, and the first user who is not named.
select coalesce(array_position(users, %(user)s), 0), cardinality(users), users[%(most)s + 1]
  from reactions where conversation_id = %(conversation)s and seq = %(seq)s and emoji = %(emoji)s

-- name: find_custom
select from custom_emoji where name = %s

-- name: add_reaction
-- The author's own reaction is no news for them, and leaves the time.
insert into reactions (conversation_id, seq, emoji, since, users, author_id, latest_at)
values (%(conversation)s, %(seq)s, %(emoji)s, %(position)s, array[%(user)s::bigint], %(author)s,
        case when %(user)s <> %(author)s then %(now)s::timestamptz end)
    on conflict (conversation_id, seq, emoji)
    do update set users = reactions.users || excluded.users, author_id = excluded.author_id,
                  latest_at = coalesce(excluded.latest_at, reactions.latest_at)

-- name: remove_reaction
update reactions set users = array_remove(users, %(user)s)
 where conversation_id = %(conversation)s and seq = %(seq)s and emoji = %(emoji)s

-- name: drop_reaction
delete from reactions where conversation_id = %(conversation)s and seq = %(seq)s and emoji = %(emoji)s

-- name: show_reactions
-- In the message: the emoji in the order of their first use, the first users by id, and the count of all.
update messages m
   set reactions = (
       select jsonb_agg(jsonb_build_object('emoji', r.emoji, 'users', r.users[1:%(most)s])
                        || case when cardinality(r.users) > %(most)s
                                then jsonb_build_object('count', cardinality(r.users)) else '{}' end
                        order by r.since)
         from reactions r where r.conversation_id = m.conversation_id and r.seq = m.seq)
 where m.conversation_id = %(conversation)s and m.seq = %(seq)s

-- name: count_pins
select count(*) from messages where conversation_id = %s and pinned is not null

-- name: set_pin
update messages set pinned = %s, pinned_by = %s where conversation_id = %s and seq = %s

-- name: list_pins
-- The latest first. No row for users who may not read the conversation.
select pin.pinned_by, m.*
  from conversations c
  left join messages pin on pin.conversation_id = c.id and pin.pinned is not null
  left join displayed_messages m on m.conversation_id = c.id and m.seq = pin.seq
 where c.id = %(conversation)s
   and (c.kind = 'channel' and not c.private
        or exists (select from memberships s
                    where s.conversation_id = c.id and s.user_id = %(user)s and s.until is null))
 order by pin.pinned desc
