-- User groups: named sets of users that messages mention, such as @design. A name belongs to a user or to a group, never
-- to both, nor to two that look alike: `look` has 1 as l and 0 as o, as `skeleton` in chat/shared/appearance.py has them.
create table user_groups (
    id         bigint generated always as identity primary key,
    name       text not null collate "C" unique,   -- in lower case
    look       text not null collate "C" unique,
    created_at timestamptz not null default now()
);
create table user_group_members (
    group_id bigint not null references user_groups on delete cascade,
    user_id  bigint not null references users on delete cascade,
    primary key (group_id, user_id)
);
create index user_group_members_user on user_group_members (user_id);
create index users_look on users (translate(lower(name), '10', 'lo'));

-- A new user with the name of a group is not inserted, as if a user had the name: each insertion expects that case.
-- The lock is exclusive where a group gets its name, so that a user and a group cannot get one name at once.
create function keep_names_apart() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and lower(new.name) = lower(old.name) then
        return new;
    end if;
    perform pg_advisory_xact_lock_shared(7263395);
    if not exists (select from user_groups g where g.look = translate(lower(new.name), '10', 'lo')) then
        return new;
    elsif tg_op = 'INSERT' then
        return null;
    end if;
    raise unique_violation using message = 'a user group has this name';
end
$$;
create trigger names_apart before insert or update of name on users for each row execute function keep_names_apart();
