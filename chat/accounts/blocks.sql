-- name: lock_pair
-- Between two users either a block or the creation of their conversation runs, never both. Their rows in `users` cannot be
-- the lock, because creating a conversation locks one of them before the other.
select pg_advisory_xact_lock(hashtextextended('pair ' || %s, 0))

-- name: find_user
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
-- Conversations with unread mentions by this author, and the number of all mentions that now count in each.
with mine as (
    select m.conversation_id, m.read_seq
      from memberships m join conversations c on c.id = m.conversation_id and c.archived_at is null
     where m.user_id = %(user)s and m.until is null
       and exists (select from mentions x
                    where x.conversation_id = m.conversation_id and x.user_id in (%(user)s, 0) and x.seq > m.read_seq
                      and x.author_id = %(author)s))
select mine.conversation_id,
       (select count(*) from mentions x
         where x.conversation_id = mine.conversation_id and x.user_id in (%(user)s, 0) and x.author_id <> %(user)s
           and x.seq > mine.read_seq
           and not exists (select from blocks b where b.user_id = %(user)s and b.blocked_id = x.author_id))
  from mine order by mine.conversation_id

-- name: list_blocks
select blocked_id from blocks where user_id = %s order by blocked_id

-- name: find_block
-- One row if there is a block between the user and one of the others.
select true from blocks b
 where (b.user_id = %(user)s and b.blocked_id = any(%(others)s))
    or (b.blocked_id = %(user)s and b.user_id = any(%(others)s))
 limit 1
