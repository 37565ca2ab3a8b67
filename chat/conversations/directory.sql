-- name: list_channels
-- By name, after a name. Members are counted up to a thousand: a page's cost must not follow its channels' size.
select c.id, c.name, c.topic, m.role, people.number
  from conversations c
  left join memberships m on m.conversation_id = c.id and m.user_id = %(user)s and m.until is null
 cross join lateral (
       select count(*) from (select from memberships o where o.conversation_id = c.id and o.until is null limit 1000) few
       ) as people (number)
 where c.kind = 'channel' and not c.private and c.archived_at is null and lower(c.name) > lower(%(after)s)
   and (position(lower(%(q)s) in lower(c.name)) > 0 or position(lower(%(q)s) in lower(c.topic)) > 0)
 order by lower(c.name) limit %(most)s

-- name: list_archived
-- What a person is in and nobody writes to any more, the latest begun first, below an id.
select c.id, c.kind, c.name, c.topic, c.private, m.role, people.ids
  from memberships m join conversations c on c.id = m.conversation_id
  left join lateral (
       select array_agg(o.user_id order by o.user_id) from memberships o
        where c.kind <> 'channel' and o.conversation_id = c.id and o.until is null) as people (ids) on true
 where m.user_id = %(user)s and m.until is null and c.archived_at is not null and c.id < %(before)s
 order by c.id desc limit %(most)s
