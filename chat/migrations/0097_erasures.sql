-- Accounts deleted by their owners or an operator. The row of the user stays, without anything that tells who it was.

alter table users add column deleted_at timestamptz;
create index users_admins on users (id) where role = 'admin';

-- What is still to be removed of them, in steps: how far each has come, so that any node goes on after a kill.
create table erasures (
    user_id         bigint primary key references users,
    messages        text not null check (messages in ('keep', 'erase')),
    began_at        timestamptz not null default now(),
    conversation_id bigint not null default 0,                -- conversations up to this one are done
    client_id       text not null default '' collate "C",     -- messages of the next one up to this one are done
    position        bigint not null default 0,                -- entries of the log up to this one are done
    until           bigint not null                           -- … of those up to the deletion's own
) with (fillfactor = 50);
