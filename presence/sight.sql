-- name: narrow
-- Oneself, and with whom one shares a conversation. Blocking belongs here, and nowhere else: it hides both ways.
select asked.n, asked.user_id
  from unnest(%s::bigint[], %s::bigint[], %s::bigint[]) as asked (n, viewer_id, user_id)
 where asked.viewer_id = asked.user_id
    or exists (select from memberships mine join memberships theirs using (conversation_id)
                where mine.user_id = asked.viewer_id and mine.until is null
                  and theirs.user_id = asked.user_id and theirs.until is null)
