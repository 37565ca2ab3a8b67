-- name: take_due
-- Another node gets what this one does not settle in time.
with due as (
    select user_id from email_due where due_at <= now() order by due_at limit %(most)s for update skip locked
)
update email_due d set due_at = now() + make_interval(secs => %(lease)s), attempts = d.attempts + 1
  from due where d.user_id = due.user_id
returning d.user_id, d.attempts, d.batch

-- name: read_recipient
-- The user's address, if e-mails may be sent to it, and whether they do not want to be disturbed now. A user whose address
-- an application has set gets a row with the link that ends the e-mails.
with known as (
    insert into email_addresses (user_id) select id from users where id = %(user)s and email <> '' on conflict do nothing
    returning user_id, token
)
select coalesce(nullif(u.email, ''), e.address), coalesce(e.token, known.token), coalesce(t.name, ''),
       exists (select from presence_choices p
                where p.user_id = u.id and p.mode = 'dnd'
                  and (p.until_ms = 0 or p.until_ms > extract(epoch from now()) * 1000)),
       u.language
  from users u
  left join email_addresses e on e.user_id = u.id
  left join known on known.user_id = u.id
  left join team t on true
 where u.id = %(user)s and u.disabled_at is null and not u.bot and coalesce(e.wanted, true)
   and coalesce(nullif(u.email, ''), e.address, '') not in ('', coalesce(e.bounced, ''))

-- name: list_queued
-- What is queued for a user, oldest first. The message is null unless the user may still be mailed it: they are a member, it
-- is unread, news, and neither deleted nor muted.
select q.conversation_id, q.seq, shown.kind, shown.name, shown.author, shown.body, shown.files
  from email_queue q
  left join lateral (
       select c.kind, c.name, coalesce(nullif(a.display_name, ''), a.name) as author, left(m.body, %(letters)s) as body,
              m.files
         from messages m
         join users a on a.id = m.author_id
         join conversations c on c.id = m.conversation_id
         join users u on u.id = q.user_id
         join memberships b on b.conversation_id = m.conversation_id and b.user_id = q.user_id and b.until is null
          and b.read_seq < m.seq and (b.muted_until is null or b.muted_until < now())
          and level_of(b.level, b.own_level, c.kind, u.notify, (select t.notify from team t)) <> 'nothing'
        where m.conversation_id = q.conversation_id and m.seq = q.seq and m.deleted_at is null
          and q.called_at > now() - make_interval(secs => %(news)s)
          and not exists (select from blocks k where k.user_id = q.user_id and k.blocked_id = m.author_id)) shown on true
 where q.user_id = %(user)s
 order by q.called_at, q.conversation_id, q.seq limit %(most)s

-- name: postpone
update email_due set due_at = now() + make_interval(secs => %(seconds)s), attempts = case when %(reset)s then 0 else attempts end
 where user_id = %(user)s

-- name: lock_due
select from email_due where user_id = %(user)s for update

-- name: drop_queued
delete from email_queue q using unnest(%(conversations)s::bigint[], %(seqs)s::bigint[]) as done (conversation_id, seq)
 where q.user_id = %(user)s and q.conversation_id = done.conversation_id and q.seq = done.seq

-- name: begin_next
-- Messages that were queued meanwhile are in the next e-mail, after the same pause.
update email_due
   set due_at = now() + make_interval(secs => %(after)s), attempts = 0, batch = replace(gen_random_uuid()::text, '-', '')
 where user_id = %(user)s and exists (select from email_queue where user_id = %(user)s)
returning user_id

-- name: drop_due
delete from email_due where user_id = %(user)s

-- name: note_bounce
-- Until the address changes, nothing is sent to it.
update email_addresses set bounced = %(address)s where user_id = %(user)s
