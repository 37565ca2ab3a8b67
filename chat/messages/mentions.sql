-- name: list_members
-- At most a number of members; none unless the author is a member.
select m.user_id
  from memberships m
 where m.conversation_id = %s and m.until is null
   and exists (select from memberships a where a.conversation_id = %s and a.user_id = %s and a.until is null)
 limit %s

-- name: find_named
-- The members with these names, but not the author, nor users who have blocked the author or are blocked by them.
select mention.n, mention.name, u.id
  from unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[]) as mention (n, conversation_id, author_id, name)
  join users u on lower(u.name) = mention.name and u.disabled_at is null and u.id <> mention.author_id
  join memberships m on m.conversation_id = mention.conversation_id and m.user_id = u.id and m.until is null
 where not exists (select from blocks b where b.user_id = u.id and b.blocked_id = mention.author_id)
   and not exists (select from blocks b where b.user_id = mention.author_id and b.blocked_id = u.id)

-- name: find_grouped
-- The members of the groups with these names, with the same exceptions. The groups of a message that reach more users
-- than %(most)s together are left out, beginning with the last ones.
with called as materialized (
    select mention.n, mention.name, mention.conversation_id, mention.author_id, g.id,
           sum((select count(*) from user_group_members c where c.group_id = g.id))
             over (partition by mention.n order by mention.at) as reached
      from unnest(%(n)s::bigint[], %(conversations)s::bigint[], %(authors)s::bigint[], %(names)s::text[])
           with ordinality as mention (n, conversation_id, author_id, name, at)
      join user_groups g on g.name = mention.name)
select called.n, called.name, u.id
  from called
  join user_group_members g on g.group_id = called.id
  join users u on u.id = g.user_id and u.disabled_at is null and u.id <> called.author_id
  join memberships m on m.conversation_id = called.conversation_id and m.user_id = u.id and m.until is null
 where called.reached <= %(most)s
   and not exists (select from blocks b where b.user_id = u.id and b.blocked_id = called.author_id)
   and not exists (select from blocks b where b.user_id = called.author_id and b.blocked_id = u.id)
 order by called.n, u.id

-- name: find_names
-- The names that mention these users: their own, and those of their groups.
select id, lower(name) from users where id = any(%(users)s)
union all
select m.user_id, g.name from user_group_members m join user_groups g on g.id = m.group_id where m.user_id = any(%(users)s)

-- name: find_present
-- Those of these users who are still members, with the same exceptions.
select mention.n, mention.user_id
  from unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[]) as mention (n, conversation_id, author_id, user_id)
  join memberships m on m.conversation_id = mention.conversation_id and m.user_id = mention.user_id and m.until is null
 where mention.user_id <> mention.author_id
   and not exists (select from blocks b where b.user_id = mention.user_id and b.blocked_id = mention.author_id)
   and not exists (select from blocks b where b.user_id = mention.author_id and b.blocked_id = mention.user_id)
 order by mention.n, mention.user_id

-- name: insert_mentions
insert into mentions (conversation_id, seq, author_id, user_id)
select * from unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])

-- name: set_mentions
update messages m set mentions = new.users::bigint[], mentions_all = new.everyone
  from unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[]) as new (conversation_id, seq, users, everyone)
 where m.conversation_id = new.conversation_id and m.seq = new.seq

-- name: delete_mentions
delete from mentions where conversation_id = %s and seq = %s returning user_id, keyword

-- name: delete_named
delete from mentions where conversation_id = %s and seq = %s and not keyword

-- name: read_searched
-- The texts of new messages.
select m.conversation_id, m.seq, m.body
  from unnest(%s::bigint[], %s::bigint[]) as new (conversation_id, seq)
  join messages m on m.conversation_id = new.conversation_id and m.seq = new.seq
 where m.deleted_at is null and m.streamed is distinct from 'running' and not is_probe(m.author_id)

-- name: find_keywords
-- The keywords that begin with one of the words of each message, of members who may read it.
select m.conversation_id, m.seq, k.user_id, k.folded
  from unnest(%s::bigint[], %s::bigint[], %s::text[]) as said (conversation_id, seq, word)
  join keywords k on k.first = said.word
  join memberships b on b.conversation_id = said.conversation_id and b.user_id = k.user_id and b.until is null
   and b.joined_seq < said.seq
  join messages m on m.conversation_id = said.conversation_id and m.seq = said.seq and m.author_id <> k.user_id
 where not exists (select from blocks x where x.user_id = k.user_id and x.blocked_id = m.author_id)
   and not exists (select from blocks x where x.user_id = m.author_id and x.blocked_id = k.user_id)

-- name: insert_keyword_mentions
-- Of messages that do not mention the user already.
insert into mentions (conversation_id, seq, author_id, user_id, keyword)
select m.conversation_id, m.seq, m.author_id, new.user_id, true
  from unnest(%s::bigint[], %s::bigint[], %s::bigint[]) as new (conversation_id, seq, user_id)
  join messages m on m.conversation_id = new.conversation_id and m.seq = new.seq
 where m.deleted_at is null and m.mentions_all is null
    on conflict do nothing
returning conversation_id, user_id, seq

-- name: count_mentions
select m.conversation_id, m.user_id, count(x.seq)
  from (select distinct conversation_id, user_id from unnest(%s::bigint[], %s::bigint[]) as one (conversation_id, user_id)) one
  join memberships m on m.conversation_id = one.conversation_id and m.user_id = one.user_id and m.until is null
  left join mentions x on x.conversation_id = m.conversation_id and x.user_id in (m.user_id, 0)
   and x.author_id <> m.user_id and x.seq > m.read_seq
   and not exists (select from blocks b where b.user_id = m.user_id and b.blocked_id = x.author_id)
 group by m.conversation_id, m.user_id
