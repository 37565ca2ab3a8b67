-- What a member wants to be told of, and how far he is seen to have read.

alter table memberships
    add column level       text not null default 'all' check (level in ('all', 'mentions', 'nothing')),
    add column muted_until timestamptz,
    add column receipt_seq bigint not null default 0;
