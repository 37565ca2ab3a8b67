-- Earlier epochs of this log whose entries are still here: a cursor of one is valid up to the position at which it ended.
-- A fail-over keeps a beginning of the history, so positions up to there mean the same as before.
create table log_epochs (
    epoch text primary key,
    until bigint not null
);
