-- Messages carry data of an application, and a word of its own that says what they are.

-- `data` is the text of a JSON object, compact, as it is delivered. As `jsonb` it would lose the order of its keys, and the
-- character NUL could not be stored.
alter table messages
    add column type text,
    add column data text;

-- A message as all readers see it, by this version; `told_messages` is for the nodes before it, which do not empty the data
-- of what they delete.
create view whole_messages as
select m.conversation_id, m.seq, m.author_id, m.body, m.client_id, m.created_at, m.edited_at,
       m.deleted_at is not null as deleted, m.reply_to, m.thread, m.replies, m.last_reply, m.last_reply_at,
       m.pinned is not null as pinned, m.reactions, m.mentions, m.mentions_all, m.files, m.type,
       case when m.deleted_at is null then m.data end as data
  from messages m;
