-- name: list_notes
-- The latest first, below an id.
select id, at, actor, action, subject, detail - 'conversation'
  from audit
 where detail ? 'conversation' and (detail ->> 'conversation')::bigint = %s and id < %s
 order by id desc limit %s
