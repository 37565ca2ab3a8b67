-- An edit asks whether a stay that has ended since covers the message: without this index it would read every membership
-- of the conversation while it holds the log's head. Changes of memberships wait while the index is made; reading does not.
create index memberships_ended on memberships (conversation_id, until) where until is not null;
