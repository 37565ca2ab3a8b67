-- Previews of the pages that a message links to, as readers see them.

-- `previews_at`: the position of the entry that carries them, which is emptied when others replace them.
alter table messages
    add column previews    jsonb,
    add column previews_at bigint;

-- Previews that the author, an owner or an admin has removed, and that no edit brings back.
create table removed_previews (
    conversation_id bigint not null references conversations on delete cascade,
    seq             bigint not null,
    url             text not null,
    primary key (conversation_id, seq, url)
);

-- A message as all readers see it, in this version. `current_messages` is for nodes of earlier versions.
create view displayed_messages as
select m.conversation_id, m.seq, m.author_id,
       case when m.streamed = 'running'
            then m.body || coalesce((select string_agg(t.body, '' order by t.at) from streamed_texts t
                                      where t.conversation_id = m.conversation_id and t.seq = m.seq), '')
            else m.body end as body,
       m.client_id, m.created_at, m.edited_at,
       m.deleted_at is not null as deleted, m.reply_to, m.thread, m.replies, m.last_reply, m.last_reply_at,
       m.pinned is not null as pinned, m.reactions, m.mentions, m.mentions_all, m.files, m.type,
       case when m.deleted_at is null then m.data end as data,
       m.streamed is not distinct from 'running' as streaming, nullif(m.streamed, 'running') as state,
       m.previews
  from messages m;
