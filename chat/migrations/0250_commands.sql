-- Slash commands of other programs: an outgoing hook with the name of a command, which members call. Hooks that receive
-- events are turned off in `subscriptions`, commands and incoming hooks by `disabled`.
alter table outgoing_hooks
    add column command     text collate "C",       -- null: the hook receives events
    add column hint        text not null default '',
    add column description text not null default '',
    add column disabled    boolean not null default false;
create unique index outgoing_hooks_command on outgoing_hooks (conversation_id, command) where command is not null;

alter table incoming_hooks add column disabled boolean not null default false;
