-- Search by a conversation's own windows, and from where a month stands in the log (deploy/decisions/search.md).

-- Nodes of the version before would write what is found by less. They do not find this table, and leave indexing to
-- those that do; what they look for they find as before.
alter table search_progress rename to search_state;

-- Where in the log the messages of a month are, by the dates that they bear.
create table search_months (
    month           date primary key,            -- its first day
    first           bigint not null,
    last            bigint not null
);

-- All messages are walked through again.
update search_state set conversation_id = 0, seq = 0 where exists (select from messages);
