-- name: add_users
-- Does nothing if there are users already.
insert into users (name, display_name, password_hash)
select case n when 1 then 'ana' when 2 then 'ben' else 'p' || n end, 'Person ' || n, ''
  from generate_series(1, %(people)s::integer) as n where not exists (select from users)

-- name: settle_rooms
-- All users are members, except of the closed ones.
with made as (
    insert into conversations (kind, name, private, look_key)
    select 'channel', name, true, name
      from (values ('busy'), ('quiet'), ('calm'), ('silent')) as few (name)
     where not exists (select from conversations)
     union all
    select 'channel', 'room' || n, true, 'room' || n from generate_series(0, %(rooms)s::integer - 1) as n
     where not exists (select from conversations)
     union all
    select 'channel', 'closed' || n, true, 'closed' || n from generate_series(0, %(closed)s::integer - 1) as n
     where not exists (select from conversations)
    returning id, name)
insert into memberships (conversation_id, user_id, since)
select made.id, u.id, 0 from made cross join users u where made.name not like 'closed%%'

-- name: read_rooms
select name, id from conversations

-- name: read_end
select last_seq from conversations where id = %s

-- name: log_in
insert into sessions (user_id, token_hash, device, expires_at) values (%s, %s, 'bench', now() + interval '1 day')
