-- name: lock_conversations
-- In id order, as posts lock them.
select from conversations where id = any(%s::bigint[]) order by id for no key update

-- name: end_message
-- Move the text to the message.
with ended as (
update streamed_messages set ended = true where conversation_id = %(conversation)s and seq = %(seq)s
returning last_append, appends),
emptied as (
delete from streamed_texts where conversation_id = %(conversation)s and seq = %(seq)s)
update messages m set body = %(body)s, data = %(data)s, streamed = %(state)s, stream_end = ended.last_append from ended
 where m.conversation_id = %(conversation)s and m.seq = %(seq)s
returning ended.last_append, ended.appends

-- name: forget_message
-- Nothing is to be compacted.
delete from streamed_messages where conversation_id = %s and seq = %s

-- name: replace_frame
update log set frame = %b where position = %s

-- name: ask_to_stop
-- No row if a user has asked already.
update streamed_messages set stopped_by = %s where conversation_id = %s and seq = %s and stopped_by is null
returning author_id

-- name: find_ended
-- Messages whose author is silent, disabled or no longer a member, or whose session has ended. `since`: from when on
-- silence counts. A time in the future is of a clock that has been set back since; an author who writes replaces it.
select r.conversation_id, r.seq
  from streamed_messages r join users u on u.id = r.author_id
 where not r.ended
   and (%(since)s < clock_timestamp() - make_interval(secs => %(silence)s)
        and r.touched_at not between clock_timestamp() - make_interval(secs => %(silence)s)
                                 and clock_timestamp() + make_interval(secs => %(silence)s)
        or u.disabled_at is not null
        or (r.session_id is not null
            and not exists (select from sessions s
                             where s.id = r.session_id and s.ended_at is null and s.expires_at > now()))
        or not exists (select from memberships m
                        where m.conversation_id = r.conversation_id and m.user_id = r.author_id and m.until is null))
 order by r.conversation_id, r.seq limit %(most)s

-- name: count_running
select count(*) filter (where not ended), count(*) filter (where ended), clock_timestamp() from streamed_messages

-- name: take_turn
select pg_try_advisory_xact_lock(%s)

-- name: take_ended
-- The next message to compact that no other node works on.
select conversation_id, seq, compacted, last_append from streamed_messages
 where ended order by last_append limit 1 for update skip locked

-- name: compact
-- Empty the frames of its next appends before the last one. Return the number of entries looked at, and the last of them.
with span as materialized (
    select position, kind, subject from log
     where conversation_id = %(conversation)s and user_id is null
       and position > %(after)s and position < %(last)s
     order by position limit %(most)s),
emptied as (
    update log l set frame = '' from span
     where l.position = span.position and span.kind = 'append' and span.subject = %(seq)s and l.frame <> '')
select count(*), max(position) from span

-- name: note_compacted
update streamed_messages set compacted = %s where conversation_id = %s and seq = %s
