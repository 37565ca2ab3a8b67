-- Invitations: users who share no conversation with the one who adds them are asked first.
create table invitations (
    conversation_id bigint not null references conversations,
    user_id         bigint not null references users on delete cascade,
    invited_by      bigint not null,
    at              timestamptz not null default now(),
    declined_at     timestamptz,
    primary key (conversation_id, user_id)
);
create index invitations_user on invitations (user_id) where declined_at is null;
create index invitations_invited_by on invitations (invited_by) where declined_at is null;

-- What may still be accepted: the conversation goes on, its inviter is still in it, and nothing stands between the two.
create view open_invitations as
select i.conversation_id, i.user_id, i.invited_by, i.at, c.kind, c.name
  from invitations i
  join conversations c on c.id = i.conversation_id and c.archived_at is null
  join users u on u.id = i.invited_by and u.disabled_at is null
 where i.declined_at is null
   and exists (select from memberships m
                where m.conversation_id = i.conversation_id and m.user_id = i.invited_by and m.until is null)
   and not exists (select from memberships m
                    where m.conversation_id = i.conversation_id and m.user_id = i.user_id and m.until is null)
   and not exists (select from bans b where b.conversation_id = i.conversation_id and b.user_id = i.user_id)
   and not exists (select from blocks b where b.user_id = i.user_id and b.blocked_id = i.invited_by)
   and not exists (select from blocks b where b.user_id = i.invited_by and b.blocked_id = i.user_id);

-- Whether the member created, joined or accepted; CONVERSATIONS_PER_PERSON counts nothing else.
alter table memberships add column chosen boolean not null default true;

-- As the API tells them. Members are counted up to a thousand.
create view told_invitations as
select i.user_id, i.conversation_id as conversation, i.kind, i.name, i.invited_by, people.number as members,
       to_char(i.at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at
  from open_invitations i
 cross join lateral (
       select count(*) from (select from memberships m
                              where m.conversation_id = i.conversation_id and m.until is null limit 1000) few
       ) as people (number);
