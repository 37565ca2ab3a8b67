-- Devices that have logged in as a user before: wrong passwords that others try do not lock them out.
create table trusted_devices (
    digest     bytea not null,
    user_id    bigint not null references users on delete cascade,
    created_at timestamptz not null default now(),
    primary key (digest, user_id)
);
create index trusted_devices_user_id on trusted_devices (user_id, created_at);

-- What was trusted before the password last changed is not trusted any more, no matter who changes it.
alter table users add column trusted_since timestamptz not null default '-infinity';

create function forget_trust() returns trigger language plpgsql as $$
begin
    new.trusted_since := now();
    return new;
end $$;

create trigger forget_trust before update of password_hash on users
    for each row when (old.password_hash is distinct from new.password_hash) execute function forget_trust();
