-- What is edited or deleted is blanked in the log too: an edit's entry says of which message it is (`subject`).

create index log_edits on log (conversation_id, subject) where kind = 'edit';
