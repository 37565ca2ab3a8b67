-- name: read_scope
-- Where the log stands, who is meant by `names`, and where to look: in all that this person is in; or, where places
-- are named, in those of them that this person may read, which public channels are.
select head.position,
       (select coalesce(array_agg(u.id), '{}') from users u where lower(u.name) = any(%(names)s)),
       (select coalesce(array_agg(c.id), '{}')
          from conversations c
          left join memberships m on m.conversation_id = c.id and m.user_id = %(user)s and m.until is null
         where case when not %(named)s then m.user_id is not null
                    else (m.user_id is not null or c.kind = 'channel' and not c.private)
                         and (c.id = any(%(ids)s::bigint[]) or c.kind = 'channel' and lower(c.name) = any(%(places)s))
               end)
  from log_head head

-- name: find_messages
-- The newest matches below a position. The windows are tried one after the other: none is looked into once those before
-- it have filled the page. What, where, when and the window are asked apart, for the index then leaps from one to the
-- next; in one query it would step through all that was ever said in these conversations. `rest` is not for the index,
-- so it stands as the function behind the operator.
with readable as materialized (
    select c.id from conversations c
     where c.id = any(%(conversations)s::bigint[])
       and (c.kind = 'channel' and not c.private
            or exists (select from memberships m
                        where m.conversation_id = c.id and m.user_id = %(user)s and m.until is null))),
first as materialized (
    select d.conversation_id, d.seq, d.position from search_documents d
     where d.vector @@ %(window1)s::tsquery and d.vector @@ %(what)s::tsquery
       and d.vector @@ %(where)s::tsquery and d.vector @@ %(when)s::tsquery
       and (%(rest)s = '' or ts_match_vq(d.vector, %(rest)s::tsquery))
       and d.position < %(below1)s and d.position >= %(below2)s and d.said_at >= %(after)s and d.said_at < %(before)s
       and d.conversation_id in (select id from readable)
     order by d.position desc limit %(limit)s),
second as materialized (
    select d.conversation_id, d.seq, d.position from search_documents d
     where d.vector @@ %(window2)s::tsquery and d.vector @@ %(what)s::tsquery
       and d.vector @@ %(where)s::tsquery and d.vector @@ %(when)s::tsquery
       and (%(rest)s = '' or ts_match_vq(d.vector, %(rest)s::tsquery))
       and d.position < %(below2)s and d.position >= %(below3)s and d.said_at >= %(after)s and d.said_at < %(before)s
       and d.conversation_id in (select id from readable)
       and %(below2)s > 0 and (select count(*) from first) < %(limit)s
     order by d.position desc limit %(limit)s),
third as materialized (
    select d.conversation_id, d.seq, d.position from search_documents d
     where d.vector @@ %(window3)s::tsquery and d.vector @@ %(what)s::tsquery
       and d.vector @@ %(where)s::tsquery and d.vector @@ %(when)s::tsquery
       and (%(rest)s = '' or ts_match_vq(d.vector, %(rest)s::tsquery))
       and d.position < %(below3)s and d.position >= %(below4)s and d.said_at >= %(after)s and d.said_at < %(before)s
       and d.conversation_id in (select id from readable)
       and %(below3)s > 0 and (select count(*) from first) + (select count(*) from second) < %(limit)s
     order by d.position desc limit %(limit)s),
fourth as materialized (
    select d.conversation_id, d.seq, d.position from search_documents d
     where d.vector @@ %(window4)s::tsquery and d.vector @@ %(what)s::tsquery
       and d.vector @@ %(where)s::tsquery and d.vector @@ %(when)s::tsquery
       and (%(rest)s = '' or ts_match_vq(d.vector, %(rest)s::tsquery))
       and d.position < %(below4)s and d.position >= %(below5)s and d.said_at >= %(after)s and d.said_at < %(before)s
       and d.conversation_id in (select id from readable)
       and %(below4)s > 0
       and (select count(*) from first) + (select count(*) from second) + (select count(*) from third) < %(limit)s
     order by d.position desc limit %(limit)s),
last as materialized (
    select d.conversation_id, d.seq, d.position from search_documents d
     where d.vector @@ %(window5)s::tsquery and d.vector @@ %(what)s::tsquery
       and d.vector @@ %(where)s::tsquery and d.vector @@ %(when)s::tsquery
       and (%(rest)s = '' or ts_match_vq(d.vector, %(rest)s::tsquery))
       and d.position < %(below5)s and d.said_at >= %(after)s and d.said_at < %(before)s
       and d.conversation_id in (select id from readable)
       and %(below5)s > 0
       and (select count(*) from first) + (select count(*) from second) + (select count(*) from third) + (select count(*) from fourth) < %(limit)s
     order by d.position desc limit %(limit)s)
select found.position, m.conversation_id, m.seq, m.author_id, m.body, m.client_id, m.created_at, m.edited_at,
       m.deleted_at is not null
  from (table first union all table second union all table third union all table fourth union all table last) found
  join messages m on m.conversation_id = found.conversation_id and m.seq = found.seq
 order by found.position desc limit %(limit)s
