-- name: insert_row
insert into audit (actor, action, subject, address, detail) values (%s, %s, %s, %s::inet, %s::jsonb)
