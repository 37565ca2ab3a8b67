-- name: lock_progress
-- No row: another node is indexing.
select followed, conversation_id, seq, terms_only from search_state for update skip locked

-- name: read_entries
-- The entries after a position.
select position, kind, conversation_id, subject, frame from log where position > %s order by position limit %s

-- name: read_head
select position from log_head

-- name: read_messages
-- The messages as they are now, whatever the log has said since.
select m.conversation_id, m.seq, m.position, m.author_id, m.created_at, m.body, m.deleted_at is not null,
       array(select file ->> 'name' from jsonb_array_elements(m.files) file)
  from unnest(%s::bigint[], %s::bigint[]) as wanted (conversation_id, seq)
  join messages m on m.conversation_id = wanted.conversation_id and m.seq = wanted.seq
 where not is_probe(m.conversation_id)

-- name: walk_messages
-- All messages, in the order of their key.
select m.conversation_id, m.seq, m.position, m.author_id, m.created_at, m.body, m.deleted_at is not null,
       array(select file ->> 'name' from jsonb_array_elements(m.files) file)
  from messages m where (m.conversation_id, m.seq) > (%s, %s) and not is_probe(m.conversation_id)
 order by m.conversation_id, m.seq limit %s

-- name: store_documents
insert into search_documents (conversation_id, seq, position, said_at, vector)
select conversation_id, seq, position, said_at, vector::tsvector
  from unnest(%b::bigint[], %b::bigint[], %b::bigint[], %b::timestamptz[], %s::text[])
       as document (conversation_id, seq, position, said_at, vector)
    on conflict (conversation_id, seq) do update set vector = excluded.vector
 where search_documents.vector <> excluded.vector

-- name: note_days
-- The stretch of log positions of the messages of each day.
insert into search_days (day, first, last)
select (said_at at time zone 'UTC')::date, min(position), max(position)
  from unnest(%b::bigint[], %b::timestamptz[]) as new (position, said_at) group by 1
    on conflict (day) do update set first = least(search_days.first, excluded.first),
                                    last = greatest(search_days.last, excluded.last)
 where excluded.first < search_days.first or excluded.last > search_days.last

-- name: drop_documents
delete from search_documents d using unnest(%s::bigint[], %s::bigint[]) as deleted (conversation_id, seq)
 where d.conversation_id = deleted.conversation_id and d.seq = deleted.seq

-- name: move_progress
update search_state set followed = %(indexed)s, conversation_id = %(conversation)s, seq = %(seq)s, terms_only = %(terms_only)s
