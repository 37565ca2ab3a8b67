-- Search: what a message is found by, written by a task that follows the log (deploy/decisions/0020-search-index.md).

create table search_documents (
    conversation_id bigint not null,
    seq             bigint not null,
    position        bigint not null,             -- of the message in the log: results come newest first by it
    said_at         timestamptz not null,
    vector          tsvector not null,
    primary key (conversation_id, seq)
);
-- Few postings wait unsorted: a search reads all of those one by one.
create index search_documents_vector on search_documents using gin (vector) with (gin_pending_list_limit = 512);
alter table search_documents alter column vector set statistics 0;

-- One row. Its lock is held by the node that is indexing.
create table search_progress (
    one             boolean primary key default true check (one),
    position        bigint not null default 0,   -- the log is in the index up to here
    conversation_id bigint,                      -- a walk over all messages, begun when the log did not
    seq             bigint                       -- reach back far enough, has come to here; null: none is under way
);
insert into search_progress default values;
