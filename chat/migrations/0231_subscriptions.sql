-- Subscriptions: readers of the log with cursors of their own. What POSTS_TO publishes is one of them, a hook another.
-- Everything up to `position` was taken by the receiver. One node reads a subscription at a time, and holds its lease.
alter table publications rename to subscriptions;

alter table subscriptions
    add column kind text not null default 'queue',
    add column conversation_id bigint,              -- only entries addressed to its members; null: all entries
    add column kinds text[],                        -- only entries of these kinds; null: all
    add column disabled boolean not null default false,
    add column attempts integer not null default 0, -- that failed since the last success
    add column failing_since timestamptz,
    add column retry_at timestamptz not null default now(),
    add column problem text not null default '',
    add column created_at timestamptz not null default now();

-- For nodes of earlier versions.
create view publications as select target, epoch, position, holder, lease_until from subscriptions;
