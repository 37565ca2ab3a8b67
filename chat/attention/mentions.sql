-- name: find_named
-- Who of the members is called so. Nobody calls himself, nor somebody with whom he is at odds.
select asked.n, asked.name, u.id
  from unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[]) as asked (n, conversation_id, author_id, name)
  join users u on lower(u.name) = asked.name and u.disabled_at is null and u.id <> asked.author_id
  join memberships m on m.conversation_id = asked.conversation_id and m.user_id = u.id and m.until is null
 where not exists (select from blocks b where b.user_id = u.id and b.blocked_id = asked.author_id)
   and not exists (select from blocks b where b.user_id = asked.author_id and b.blocked_id = u.id)

-- name: find_present
-- Who of these is still a member, and not at odds with the author.
select asked.n, asked.user_id
  from unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[]) as asked (n, conversation_id, author_id, user_id)
  join memberships m on m.conversation_id = asked.conversation_id and m.user_id = asked.user_id and m.until is null
 where asked.user_id <> asked.author_id
   and not exists (select from blocks b where b.user_id = asked.user_id and b.blocked_id = asked.author_id)
   and not exists (select from blocks b where b.user_id = asked.author_id and b.blocked_id = asked.user_id)
 order by asked.n, asked.user_id

-- name: insert_mentions
insert into mentions (conversation_id, seq, author_id, user_id)
select * from unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])

-- name: set_mentions
update messages m set mentions = new.users::bigint[], mentions_all = new.everyone
  from unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[]) as new (conversation_id, seq, users, everyone)
 where m.conversation_id = new.conversation_id and m.seq = new.seq

-- name: delete_mentions
delete from mentions where conversation_id = %s and seq = %s

-- name: members_upto
-- At most so many members; none unless the author is a member.
select m.user_id
  from memberships m
 where m.conversation_id = %s and m.until is null
   and exists (select from memberships a where a.conversation_id = %s and a.user_id = %s and a.until is null)
 limit %s

-- name: lock_pair
-- Between two people either a block or the beginning of their conversation is under way, never both. Not by their rows
-- in `users`: whoever begins a conversation has one of those locked before he comes to the other.
select pg_advisory_xact_lock(hashtextextended('pair ' || %s, 0))

-- name: find_person
select true from users where id = %s

-- name: lock_direct
select id from conversations where pair = %s for no key update

-- name: count_blocks
select count(*) from blocks where user_id = %s and blocked_id <> %s

-- name: insert_block
insert into blocks (user_id, blocked_id) values (%s, %s) on conflict do nothing returning true

-- name: delete_block
delete from blocks where user_id = %s and blocked_id = %s returning true

-- name: mark_direct
update conversations
   set blocked = exists (select from blocks b where (b.user_id, b.blocked_id) in ((%(one)s, %(other)s), (%(other)s, %(one)s)))
 where pair = %(pair)s

-- name: count_mentions_by
-- In which conversations there are unread mentions by this author, and how many now count there in all.
with mine as (
    select m.conversation_id, m.read_seq
      from memberships m join conversations c on c.id = m.conversation_id and c.archived_at is null
     where m.user_id = %(user)s and m.until is null
       and exists (select from mentions x
                    where x.conversation_id = m.conversation_id and x.user_id in (%(user)s, 0) and x.seq > m.read_seq
                      and x.author_id = %(author)s))
select mine.conversation_id,
       (select count(*) from mentions x
         where x.conversation_id = mine.conversation_id and x.user_id in (%(user)s, 0) and x.seq > mine.read_seq
           and not exists (select from blocks b where b.user_id = %(user)s and b.blocked_id = x.author_id))
  from mine order by mine.conversation_id

-- name: list_blocks
select blocked_id from blocks where user_id = %s order by blocked_id

-- name: find_block
-- Is one of the others at odds with this person?
select true from blocks b
 where (b.user_id = %(user)s and b.blocked_id = any(%(others)s))
    or (b.blocked_id = %(user)s and b.user_id = any(%(others)s))
 limit 1

-- name: read_notice
select level, muted_until from memberships where conversation_id = %s and user_id = %s and until is null

-- name: set_notice
update memberships set level = %s, muted_until = %s where conversation_id = %s and user_id = %s and until is null

-- name: list_receipts
-- All members, at most so many; how far they have read stands with the others who show it.
select m.user_id, case when m.receipt_seq > 0 and u.receipts and m.user_id <> %(user)s then m.receipt_seq end
  from memberships m join users u on u.id = m.user_id
 where m.conversation_id = %(conversation)s and m.until is null
 order by m.user_id limit %(most)s
