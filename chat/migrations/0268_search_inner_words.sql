-- Words are also found without what is written before them (deploy/decisions/0168-inner-words.md). All messages are
-- indexed again, 200 in a transaction, by whichever node indexes; each step is kept, and new messages go first.

-- Nodes of the version before would write former terms. They do not find this column, and leave indexing to the others;
-- their own searches read only `seq` and `terms_only`.
alter table search_state rename column indexed to followed;

update search_state set terms_only = seq is null or terms_only, conversation_id = 0, seq = 0 where exists (select from messages);
