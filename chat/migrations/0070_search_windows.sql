-- Search by a conversation's own windows, and from where a day stands in the log (deploy/decisions/search.md).

-- Nodes of the version before would write what is found by less. They do not find this table, and leave indexing to
-- those that do; what they look for they find as before.
alter table search_progress rename to search_state;

-- Where in the log the messages of a day are, by the times that they bear (UTC).
create table search_days (
    day             date primary key,
    first           bigint not null,
    last            bigint not null
);

-- All messages are walked through again.
update search_state set conversation_id = 0, seq = 0 where exists (select from messages);
