-- name: find_frames
-- The entries with the text of a message: its own and its edits, as far back as the log goes. The last column: the entry
-- lies in a membership that has ended, so it was addressed to users who are no longer members.
with told as (
    select l.position, l.frame from messages m join log l on l.position = m.position
     where m.conversation_id = %(conversation)s and m.seq = %(seq)s
     union all
    select l.position, l.frame from log l
     where l.conversation_id = %(conversation)s and l.subject = %(seq)s and l.kind = 'edit')
select told.position, told.frame,
       exists (select from memberships m
                where m.conversation_id = %(conversation)s and m.until >= told.position and m.since <= told.position)
  from told

-- name: replace_frames
update log l set frame = new.frame from unnest(%b::bigint[], %b::bytea[]) as new (position, frame)
 where l.position = new.position

-- name: replace_content
-- The entry that carried its previews is emptied: the edit carries those that stay.
with told as (
update log l set frame = '' from messages m
 where m.conversation_id = %(conversation)s and m.seq = %(seq)s and l.position = m.previews_at)
update messages
   set body = %(body)s, files = %(files)s::jsonb, data = %(data)s, edited_at = %(now)s, previews = %(previews)s::jsonb,
       previews_at = null
 where conversation_id = %(conversation)s and seq = %(seq)s

-- name: keep_body
-- Keep a text that is about to be replaced.
insert into message_edits (conversation_id, seq, number, body, user_id, at)
select %(conversation)s, %(seq)s,
       1 + coalesce((select max(e.number) from message_edits e
                      where e.conversation_id = %(conversation)s and e.seq = %(seq)s), 0),
       %(body)s, %(user)s, %(now)s

-- name: list_edits
-- The latest first, below a number.
select number, body, user_id, at from message_edits
 where conversation_id = %s and seq = %s and number < %s
 order by number desc limit %s

-- name: has_message
select from messages where conversation_id = %s and seq = %s

-- name: bury_message
-- The seq, the author and the thread stay. What tells of its previews goes.
with told as (
update log l set frame = '' from messages m
 where m.conversation_id = %(conversation)s and m.seq = %(seq)s and l.position = m.previews_at),
removed as (
delete from removed_previews where conversation_id = %(conversation)s and seq = %(seq)s)
update messages
   set deleted_at = %(now)s, type = %(type)s, body = '', edited_at = null, reply_to = null, pinned = null, pinned_by = null,
       reactions = null, mentions = null, mentions_all = null, files = null, data = null, streamed = null, stream_end = null,
       previews = null, previews_at = null
 where conversation_id = %(conversation)s and seq = %(seq)s

-- name: drop_reactions
delete from reactions where conversation_id = %s and seq = %s

-- name: drop_saved
-- Devices learn from the deletion that a saved message is gone.
delete from saved_messages where conversation_id = %s and seq = %s

-- name: drop_forward
delete from forwards where conversation_id = %s and seq = %s

-- name: is_read
-- Whether another member has read up to this message, in the conversation or in its thread.
select exists (select from memberships m
                where m.conversation_id = %(conversation)s and m.until is null and m.user_id <> %(user)s
                  and m.read_seq >= %(seq)s)
       or exists (select from thread_follows f
                   where f.conversation_id = %(conversation)s and f.root_seq = %(thread)s and f.user_id <> %(user)s
                     and f.read_seq >= %(seq)s)

-- name: end_compaction
-- No row: the message is compacted already.
with texts as (
delete from streamed_texts where conversation_id = %(conversation)s and seq = %(seq)s)
delete from streamed_messages where conversation_id = %(conversation)s and seq = %(seq)s
returning seq

-- name: empty_appends
-- All appends of the message. Its entry and its last append bound the search.
update log l set frame = '' from messages m
 where m.conversation_id = %(conversation)s and m.seq = %(seq)s and l.conversation_id = %(conversation)s
   and l.user_id is null and l.position > m.position and l.position <= coalesce(m.stream_end, 9223372036854775807)
   and l.kind = 'append' and l.subject = %(seq)s and l.frame <> ''

-- name: empty_last_append
update log l set frame = '' from messages m
 where m.conversation_id = %(conversation)s and m.seq = %(seq)s and l.position = m.stream_end and l.kind = 'append'

-- name: find_finish
-- The entry that ended the message, which follows its last append.
select l.position, l.frame from messages m join log l on l.conversation_id = m.conversation_id
 where m.conversation_id = %(conversation)s and m.seq = %(seq)s and l.user_id is null and l.position > m.stream_end
   and l.kind = 'finish' and l.subject = m.seq and l.frame <> ''
 order by l.position limit 1
