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
