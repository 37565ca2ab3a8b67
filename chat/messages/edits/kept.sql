-- name: keep_body
-- What stands there now is about to go.
insert into message_edits (conversation_id, seq, number, body, user_id, at)
select m.conversation_id, m.seq,
       1 + coalesce((select max(e.number) from message_edits e
                      where e.conversation_id = m.conversation_id and e.seq = m.seq), 0),
       m.body, %s, %s
  from messages m where m.conversation_id = %s and m.seq = %s

-- name: list_edits
-- The latest first, below a number.
select number, body, user_id, at from message_edits
 where conversation_id = %s and seq = %s and number < %s
 order by number desc limit %s

-- name: has_message
select from messages where conversation_id = %s and seq = %s
