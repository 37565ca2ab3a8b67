-- What the name of a channel looks like, written by Python (chat/shared/appearance.py, decision 0101): channels with one
-- `look_key` cannot be told apart, those with one `skeleton` only by their letters. `tandem migrate` fills both in.
-- A channel that a node of an earlier version creates has a key of its own until a node fills it in. U+F8FF is a letter
-- of no script.
alter table conversations add column look_key text collate "C", add column skeleton text collate "C";
alter table conversations alter column look_key set default U&'\F8FF' || gen_random_uuid();
