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

-- name: find_names
select id, lower(name) from users where id = any(%s)

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
delete from mentions where conversation_id = %s and seq = %s
