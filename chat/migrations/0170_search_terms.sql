-- Words are folded further and split otherwise (deploy/decisions/0105-search-terms.md). All messages are indexed again,
-- 200 in a transaction, by whichever node indexes; each step is kept, and new messages go first. Until it is done, searches
-- ask for the former terms too.

-- Nodes of the version before would write former terms. They do not find this column, and leave indexing to the others;
-- their own searches read only `seq`.
alter table search_state rename column position to indexed;

-- True while a walk replaces terms alone. Messages that it has not reached have the keys of all windows.
alter table search_state add column terms_only boolean not null default false;

update search_state set terms_only = seq is null, conversation_id = 0, seq = 0 where exists (select from messages);
