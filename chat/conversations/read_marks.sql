-- name: list_receipts
-- All members up to a limit, with the last message that each other member has read, if they share receipts.
select m.user_id, case when m.receipt_seq > 0 and u.receipts and m.user_id <> %(user)s then m.receipt_seq end
  from memberships m join users u on u.id = m.user_id
 where m.conversation_id = %(conversation)s and m.until is null
 order by m.user_id limit %(most)s

-- name: lock_conversations
-- In id order, as posts do, so that the two cannot deadlock.
select id, kind = 'channel' and not private from conversations where id = any(%s) order by id for no key update

-- name: find_members
-- The numbers of the marks whose user is a member now.
select asked.n
  from unnest(%s::bigint[], %s::bigint[]) with ordinality as asked (conversation_id, user_id, n)
 where exists (select from memberships m
                where m.conversation_id = asked.conversation_id and m.user_id = asked.user_id and m.until is null)

-- name: move_read_marks
-- Only forward, never beyond the last message, and not within messages that the user has marked as unread. The receipt moves
-- along if the user shares receipts, the conversation is small, the user is not invisible, and no member has blocked another.
-- In this order: the last check reads each member. A receipt that others have already is not sent again.
with asked as (
    select asked.conversation_id, asked.user_id, least(asked.seq, c.last_seq) as seq, c.last_seq,
           least(asked.seq, c.last_seq) > mine.receipt_seq and u.receipts
           and %(most)s >= (
               select count(*) from (select from memberships o where o.conversation_id = c.id and o.until is null
                                      limit %(most)s + 1) few)
           and not exists (
               select from presence_choices p
                where p.user_id = u.id and p.mode = 'invisible'
                  and (p.until_ms = 0 or p.until_ms > extract(epoch from now()) * 1000))
           and not exists (
               select from memberships o
                where o.conversation_id = c.id and o.until is null
                  and (exists (select from blocks b where b.user_id = u.id and b.blocked_id = o.user_id)
                       or exists (select from blocks b where b.user_id = o.user_id and b.blocked_id = u.id))) as shown
      from unnest(%(conversations)s::bigint[], %(users)s::bigint[], %(seqs)s::bigint[])
           as asked (conversation_id, user_id, seq)
      join conversations c on c.id = asked.conversation_id
      join users u on u.id = asked.user_id
      join memberships mine on mine.conversation_id = c.id and mine.user_id = u.id and mine.until is null)
update memberships m set read_seq = asked.seq, receipt_seq = case when asked.shown then asked.seq else m.receipt_seq end
  from asked
 where m.conversation_id = asked.conversation_id and m.user_id = asked.user_id and m.until is null
   and m.read_seq < asked.seq and m.unread_until < asked.seq
returning m.conversation_id, m.user_id, m.read_seq,
       asked.last_seq - m.read_seq - (select count(*) from messages d
                                       where d.conversation_id = m.conversation_id and d.seq > m.read_seq
                                         and d.deleted_at is not null),
       (select count(*) from mentions x
         where x.conversation_id = m.conversation_id and x.user_id in (m.user_id, 0) and x.author_id <> m.user_id
           and x.seq > m.read_seq
           and not exists (select from blocks b where b.user_id = m.user_id and b.blocked_id = x.author_id)),
       asked.shown

-- name: count_own
-- Deleted ones included.
select count(*) from messages where conversation_id = %s and author_id = %s and seq > %s

-- name: mark_unread
-- Only back. Deleted messages of others count as read. The number of own messages is that of `count_own`.
update memberships m set read_seq = least(m.read_seq, %(seq)s), unread_until = %(last_seq)s, unread_own = %(own)s
 where m.conversation_id = %(conversation)s and m.user_id = %(user)s and m.until is null
returning m.conversation_id, m.user_id, m.read_seq,
       %(last_seq)s - m.read_seq - m.unread_own - (select count(*) from messages d
                                                    where d.conversation_id = m.conversation_id and d.seq > m.read_seq
                                                      and d.deleted_at is not null and d.author_id <> m.user_id),
       (select count(*) from mentions x
         where x.conversation_id = m.conversation_id and x.user_id in (m.user_id, 0) and x.author_id <> m.user_id
           and x.seq > m.read_seq
           and not exists (select from blocks b where b.user_id = m.user_id and b.blocked_id = x.author_id))

-- name: end_unread
-- Unless it would leave some of these messages unread.
update memberships set unread_until = 0
 where conversation_id = %(conversation)s and user_id = %(user)s and until is null
   and unread_until > 0 and unread_until <= %(seq)s
