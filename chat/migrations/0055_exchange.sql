-- Chats from elsewhere: which conversation each of theirs has become, and how far each file has come in.

alter table conversations add column origin text;   -- '<source>:<its key there>'; null: it began here
create unique index conversations_origin on conversations (origin) where origin is not null;

create table imports (
    print    text primary key,                   -- of the file
    records  bigint not null default 0,          -- of its records, so many are in
    began_at timestamptz not null default now(),
    ended_at timestamptz
);
