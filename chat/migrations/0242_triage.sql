-- Messages that users mark as unread again, and messages that they save for later.

-- `unread_until`: the last message at the time when the user marked messages as unread; 0 if they did not. Marks of clients
-- up to it are ignored. `unread_own`: the user's own messages after `read_seq` and up to it.
alter table memberships
    add column unread_until bigint not null default 0,
    add column unread_own   integer not null default 0;

create table saved_messages (
    id              bigint generated always as identity,
    user_id         bigint not null references users on delete cascade,
    conversation_id bigint not null,
    seq             bigint not null,
    saved_at        timestamptz not null default now(),
    done            boolean not null default false,
    primary key (conversation_id, seq, user_id)
);
create index saved_messages_user on saved_messages (user_id, done, id);

-- How far each user has looked through the reactions on the Activity page.
alter table users add column activity_read_at timestamptz;
