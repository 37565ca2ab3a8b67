-- Finding people by a part of their names, whatever it is and however many they are: every end of a name is a key, so
-- that whatever contains a text has a key that begins with it. No extension is needed.

create table user_names (
    kind    smallint not null,                    -- 0: what one logs in with; 1: an end of what is shown
    key     text collate "C" not null,
    user_id bigint not null references users on delete cascade,
    primary key (kind, key, user_id)
);
create index user_names_user on user_names (user_id);

create function name_keys(name text, display_name text) returns table (kind smallint, key text) language sql immutable as $$
    select 0::smallint, lower(name)
     union
    select 1::smallint, substr(lower(display_name), n) from generate_series(1, length(display_name)) as n
$$;

create function note_user_names() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' then
        delete from user_names where user_id = new.id;
    end if;
    insert into user_names (kind, key, user_id)
    select k.kind, k.key, new.id from name_keys(new.name, new.display_name) k;
    return null;
end $$;

create trigger note_user_names after insert or update of name, display_name on users
    for each row execute function note_user_names();

insert into user_names (kind, key, user_id)
select k.kind, k.key, u.id from users u cross join lateral name_keys(u.name, u.display_name) k
    on conflict do nothing;
