-- name: add_talkers
insert into users (name, display_name, password_hash) select name, name, '' from unnest(%s::text[]) as name

-- name: add_rooms
insert into conversations (kind, name, private) select 'channel', name, true from unnest(%s::text[]) as name

-- name: seat_everybody
insert into memberships (conversation_id, user_id, since) select c.id, u.id, 0 from conversations c, users u
