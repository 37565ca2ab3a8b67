-- How users arrange their list of conversations. A row is written whole; `version` counts the changes.
create table sidebars (
    user_id  bigint primary key references users on delete cascade,
    version  integer not null,
    document jsonb not null
);
