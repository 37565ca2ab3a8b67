-- name: list_receipts
-- All members, at most so many; how far they have read stands with the others who show it.
select m.user_id, case when m.receipt_seq > 0 and u.receipts and m.user_id <> %(user)s then m.receipt_seq end
  from memberships m join users u on u.id = m.user_id
 where m.conversation_id = %(conversation)s and m.until is null
 order by m.user_id limit %(most)s
