-- name: read_choices
-- A bot is invisible: it is never shown, counted or reached by @here, whatever its key has open.
select user_id, mode, text, emoji, until_ms, set_at_ms from presence_choices where user_id = any(%(users)s::bigint[])
 union all
select id, 'invisible', '', '', 0, 1 from users where id = any(%(users)s::bigint[]) and bot

-- name: store_choices
-- The later choice is valid on all nodes, so set_at rises even if this clock does not.
insert into presence_choices (user_id, mode, text, emoji, until_ms, set_at_ms)
select chosen.*, (extract(epoch from clock_timestamp()) * 1000)::bigint
  from unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::bigint[]) as chosen
 order by 1
on conflict (user_id) do update
   set mode = excluded.mode, text = excluded.text, emoji = excluded.emoji, until_ms = excluded.until_ms,
       set_at_ms = greatest(excluded.set_at_ms, presence_choices.set_at_ms + 1)
returning user_id, set_at_ms
