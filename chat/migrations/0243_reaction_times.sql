-- Reactions by the author of the message, the latest first. `latest_at`: the time of the last reaction of another user; null
-- if there was none, or for reactions of imported messages. Those of today get the time of their message.
alter table reactions
    add column author_id bigint,
    add column latest_at timestamptz;
update reactions r set author_id = m.author_id, latest_at = m.created_at
  from messages m where m.conversation_id = r.conversation_id and m.seq = r.seq;
create index reactions_author on reactions (author_id, latest_at) where latest_at is not null;
