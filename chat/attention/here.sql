-- name: members_upto
-- At most so many members; none unless the author is a member.
select m.user_id
  from memberships m
 where m.conversation_id = %s and m.until is null
   and exists (select from memberships a where a.conversation_id = %s and a.user_id = %s and a.until is null)
 limit %s
