-- name: insert_row
insert into audit (actor, action, subject, address, session, device, detail)
values (%(actor)s, %(action)s, %(subject)s, %(address)s::inet, %(session)s,
        coalesce((select s.device from sessions s where s.id = %(session)s), %(device)s), %(detail)s::jsonb)
