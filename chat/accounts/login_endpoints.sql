-- name: has_password
select password_hash <> '' from users where id = %s
