-- outside a transaction
drop index concurrently if exists conversations_external;
create unique index concurrently conversations_external on conversations (external_id) where external_id is not null;
