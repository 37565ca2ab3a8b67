-- name: stored_messages
select position, conversation_id, seq, author_id, client_id, body
  from messages where not is_probe(conversation_id) order by position

-- name: stays
-- From the first message after the join to the last one before the leave; -1: still a member.
select m.user_id, m.conversation_id,
       1 + (select coalesce(max(seq), 0) from messages
             where conversation_id = m.conversation_id and position < m.since) as first,
       case when m.until is null then -1 else
            (select coalesce(max(seq), 0) from messages
              where conversation_id = m.conversation_id and position <= m.until) end as last
  from memberships m

-- name: queued_messages
select conversation_id, author_id, client_id from messages where client_id like 'queued-%'
