-- name: read_scope
-- Where the log stands, who is meant by `names`, and where to look: in all that this person is in; or, where places
-- are named, in those of them that this person may read, which public channels are.
with places as (
    select c.id, c.last_seq
      from memberships m join conversations c on c.id = m.conversation_id
     where m.user_id = %(user)s and m.until is null
       and (not %(named)s or c.id = any(%(ids)s::bigint[]) or c.kind = 'channel' and lower(c.name) = any(%(places)s))
     union
    select c.id, c.last_seq from conversations c
     where %(named)s and c.kind = 'channel' and not c.private
       and (c.id = any(%(ids)s::bigint[]) or lower(c.name) = any(%(places)s) and c.archived_at is null))
select head.position, (select coalesce(array_agg(u.id), '{}') from users u where lower(u.name) = any(%(names)s)),
       (select coalesce(array_agg(id), '{}') from places), (select coalesce(sum(last_seq), 0)::bigint from places)
  from log_head head

-- name: find_places
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
select position, conversation_id, seq
  from (table first union all table second union all table third union all table fourth union all table last) found
 order by position desc limit %(limit)s
