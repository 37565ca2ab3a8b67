-- name: count_saved
-- Whether this message is saved and done, null if it is not saved; and how many messages the user has saved.
select (select s.done from saved_messages s
         where s.conversation_id = %(conversation)s and s.seq = %(seq)s and s.user_id = %(user)s),
       (select count(*) from saved_messages s where s.user_id = %(user)s)

-- name: save_message
insert into saved_messages (conversation_id, seq, user_id, done) values (%(conversation)s, %(seq)s, %(user)s, %(done)s)
    on conflict (conversation_id, seq, user_id) do update set done = excluded.done

-- name: unsave_message
delete from saved_messages where conversation_id = %(conversation)s and seq = %(seq)s and user_id = %(user)s returning seq

-- name: list_saved
-- Leaving a conversation removes what the user has saved there.
select s.id, s.saved_at, m.*
  from saved_messages s
  join memberships o on o.conversation_id = s.conversation_id and o.user_id = s.user_id and o.until is null
  join displayed_messages m on m.conversation_id = s.conversation_id and m.seq = s.seq and not m.deleted
 where s.user_id = %(user)s and s.done = %(done)s and s.id < %(before)s
 order by s.id desc limit %(most)s

-- name: list_mentions
-- In each conversation of the user the latest mentions before a place, then the latest of these. The last message before the
-- place bounds the seqs, so that a further page costs the same. The user 0 stands for all members at that time.
with mine as (
    select s.conversation_id, s.read_seq, s.joined_seq,
           (select t.seq from messages t
             where t.conversation_id = s.conversation_id and t.created_at <= %(at)s
               and (t.created_at < %(at)s or (s.conversation_id, t.seq) < (%(conversation)s, %(seq)s))
             order by t.created_at desc, t.seq desc limit 1) as until
      from memberships s join conversations c on c.id = s.conversation_id and c.archived_at is null
     where s.user_id = %(user)s and s.until is null),
found as (
    select t.created_at, x.conversation_id, x.seq, x.seq > mine.read_seq as unread
      from mine
     cross join lateral (
           select * from (
               (select y.conversation_id, y.seq, y.author_id from mentions y
                 where y.conversation_id = mine.conversation_id and y.user_id = %(user)s
                   and y.seq <= mine.until
                   and not exists (select from blocks b where b.user_id = %(user)s and b.blocked_id = y.author_id)
                 order by y.seq desc limit %(most)s)
                union all
               (select y.conversation_id, y.seq, y.author_id from mentions y
                 where y.conversation_id = mine.conversation_id and y.user_id = 0 and y.author_id <> %(user)s
                   and y.seq > mine.joined_seq and y.seq <= mine.until
                   and not exists (select from blocks b where b.user_id = %(user)s and b.blocked_id = y.author_id)
                 order by y.seq desc limit %(most)s)) both_kinds
            order by seq desc limit %(most)s) x
      join messages t on t.conversation_id = x.conversation_id and t.seq = x.seq
     where (t.created_at, x.conversation_id, x.seq) < (%(at)s, %(conversation)s, %(seq)s)
     order by t.created_at desc, x.conversation_id desc, x.seq desc limit %(most)s)
select found.created_at, found.conversation_id, found.seq, found.unread, 0, null::text, null::bigint[], m.*
  from found join displayed_messages m on m.conversation_id = found.conversation_id and m.seq = found.seq
 where not m.deleted
 order by found.created_at desc, found.conversation_id desc, found.seq desc

-- name: list_replies
-- The threads that the user follows, by their last reply, each with the latest reply of another user, if there is one. The
-- place has the first message of the thread.
with mine as (
    select root.last_reply_at, f.conversation_id, f.root_seq, f.read_seq
      from thread_follows f
      join memberships s on s.conversation_id = f.conversation_id and s.user_id = f.user_id and s.until is null
      join conversations c on c.id = f.conversation_id and c.archived_at is null
      join messages root on root.conversation_id = f.conversation_id and root.seq = f.root_seq
     where f.user_id = %(user)s
       and (root.last_reply_at, f.conversation_id, f.root_seq) < (%(at)s, %(conversation)s, %(seq)s)
     order by root.last_reply_at desc, f.conversation_id desc, f.root_seq desc limit %(most)s)
select mine.last_reply_at, mine.conversation_id, mine.root_seq, reply.seq > mine.read_seq, unread.number, null::text,
       null::bigint[], m.*
  from mine
  left join lateral (
       select t.seq from messages t
        where t.conversation_id = mine.conversation_id and t.thread = mine.root_seq and t.author_id <> %(user)s
          and t.deleted_at is null
          and not exists (select from blocks b where b.user_id = %(user)s and b.blocked_id = t.author_id)
        order by t.seq desc limit 1) reply on true
 cross join lateral (
       select count(*) as number
         from (select from messages t
                where t.conversation_id = mine.conversation_id and t.thread = mine.root_seq
                  and t.author_id <> %(user)s and t.seq > mine.read_seq and t.deleted_at is null
                limit 1000) few) unread
  left join displayed_messages m on m.conversation_id = mine.conversation_id and m.seq = reply.seq
 order by mine.last_reply_at desc, mine.conversation_id desc, mine.root_seq desc

-- name: list_reactions
-- One row for each emoji on a message of the user.
with found as (
    select r.latest_at, r.conversation_id, r.seq, r.emoji, reacting.users, reacting.number
      from reactions r
      join memberships s on s.conversation_id = r.conversation_id and s.user_id = r.author_id and s.until is null
      join conversations c on c.id = r.conversation_id and c.archived_at is null
     cross join lateral (
           select array_agg(one.id order by one.place desc) as users, count(*) as number
             from unnest(r.users) with ordinality as one (id, place)
            where one.id <> %(user)s
              and not exists (select from blocks b where b.user_id = %(user)s and b.blocked_id = one.id)) reacting
     where r.author_id = %(user)s and r.latest_at is not null and reacting.number > 0
       and (r.latest_at, r.conversation_id, r.seq) < (%(at)s, %(conversation)s, %(seq)s)
     order by r.latest_at desc, r.conversation_id desc, r.seq desc limit %(most)s)
select found.latest_at, found.conversation_id, found.seq, found.latest_at > coalesce(u.activity_read_at, '-infinity'),
       found.number, found.emoji, found.users[1:%(reacting)s], m.*
  from found
  join users u on u.id = %(user)s
  join displayed_messages m on m.conversation_id = found.conversation_id and m.seq = found.seq and not m.deleted
 order by found.latest_at desc, found.conversation_id desc, found.seq desc

-- name: mark_activity
update users set activity_read_at = least(%(at)s, now())
 where id = %(user)s and coalesce(activity_read_at, '-infinity') < least(%(at)s, now())
