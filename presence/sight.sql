-- name: narrow
-- Oneself, and with whom one shares a conversation, unless one of the two has blocked the other: that hides both ways.
-- The limit keeps each pair an index probe of its own: joined at large, two members of one conversation with 5,000
-- people would be found by way of all 25,000,000 pairs in it.
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
 where not exists (select from blocks b where b.user_id = asked.viewer_id and b.blocked_id = asked.user_id)
   and not exists (select from blocks b where b.user_id = asked.user_id and b.blocked_id = asked.viewer_id)
