-- The account of each user of another chat: the same id there is always the same account here, whatever its name.
create table imported_users (
    origin  text not null,                      -- as in conversations.origin: the server or workspace
    key     text not null collate "C",          -- the user's id there
    user_id bigint not null references users on delete cascade,
    email   text,
    print   text,                               -- of the import that created the account; null: the account existed
    primary key (origin, key)
);
create index imported_users_user on imported_users (user_id);
create index imported_users_print on imported_users (print) where print is not null;
