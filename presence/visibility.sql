-- name: filter_visible
-- The viewer, and users who share a conversation with the viewer, except those who are hidden from each other.
-- The limit makes each pair a separate index probe. A plain join would find two members of one conversation with 5,000
-- users through all 25,000,000 pairs in it.
select asked.n, asked.user_id
  from unnest(%s::bigint[], %s::bigint[], %s::bigint[]) as asked (n, viewer_id, user_id)
 cross join lateral (
       select 1 where asked.viewer_id = asked.user_id
        union all
       (select 1 from memberships theirs join memberships mine using (conversation_id)
         where theirs.user_id = asked.user_id and theirs.until is null
           and mine.user_id = asked.viewer_id and mine.until is null
         limit 1)
       limit 1) shared
 where not exists (select from hidden_people h where h.viewer_id = asked.viewer_id and h.user_id = asked.user_id)

-- name: read_hidden
select viewer_id, user_id from hidden_people where viewer_id = any(%s::bigint[])

-- name: is_member
select exists (select from memberships where conversation_id = %s and user_id = %s and until is null)

-- name: count_members
-- At most one more than the limit, so that the cost is bounded.
select count(*) from (select from memberships where conversation_id = %s and until is null limit %s) as counted

-- name: choose_members
-- Which of these users are members.
select user_id from memberships where conversation_id = %s and user_id = any(%s::bigint[]) and until is null

-- name: list_members
select user_id from memberships where conversation_id = %s and user_id > %s and until is null order by user_id limit %s
