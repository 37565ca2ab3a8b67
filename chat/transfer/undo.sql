-- name: insert_parts
insert into import_parts (import_id, kind, conversation_id, first, last)
select %s, kind, conversation_id, first, last
  from unnest(%s::text[], %s::bigint[], %s::bigint[], %s::bigint[]) as new (kind, conversation_id, first, last)
 where kind <> 'used' or not exists (select from import_parts p
                                      where p.import_id = %s and p.kind = 'user' and p.first = new.first)
    on conflict do nothing

-- name: extend_messages
-- Ranges that continue the last one of their conversation become part of it.
update import_parts p set last = new.last
  from unnest(%s::bigint[], %s::bigint[], %s::bigint[]) as new (conversation_id, first, last)
 where p.import_id = %s and p.kind = 'messages' and p.conversation_id = new.conversation_id
   and p.last = new.first - 1
returning p.conversation_id

-- name: preview
-- Sums over the import: conversations that it made and messages, members and accounts.
select count(*) filter (where kind = 'conversation'),
       coalesce(sum(last - first + 1) filter (where kind = 'messages'), 0)::bigint,
       count(*) filter (where kind = 'user')
  from import_parts where import_id = %s

-- name: list_kept
-- Conversations that the import made and that have other messages by now, with the number of these.
select c.id, c.kind, c.name, c.last_seq - coalesce(sum(m.last - m.first + 1), 0)::bigint
  from import_parts p
  join conversations c on c.id = p.conversation_id
  left join import_parts m on m.import_id = p.import_id and m.kind = 'messages' and m.conversation_id = c.id
 where p.import_id = %(import)s and p.kind = 'conversation'
 group by c.id having c.last_seq > coalesce(sum(m.last - m.first + 1), 0)
 order by c.id limit %(limit)s

-- name: count_kept
select count(*) from (
    select from import_parts p
      join conversations c on c.id = p.conversation_id
      left join import_parts m on m.import_id = p.import_id and m.kind = 'messages' and m.conversation_id = c.id
     where p.import_id = %s and p.kind = 'conversation'
     group by c.id having c.last_seq > coalesce(sum(m.last - m.first + 1), 0)) kept

-- name: next_conversation
-- The next conversation that the import made.
select conversation_id from import_parts where import_id = %s and kind = 'conversation' order by conversation_id limit 1

-- name: lock_conversation
select last_seq from conversations where id = %s for no key update

-- name: count_imported
select coalesce(sum(last - first + 1), 0)::bigint from import_parts
 where import_id = %s and kind = 'messages' and conversation_id = %s

-- name: forget_conversation
-- It stays, with what was written since. Its messages are removed like those of other conversations.
delete from import_parts where import_id = %s and kind in ('conversation', 'member') and conversation_id = %s

-- name: list_members
-- Current members, and whether a device of theirs may know the conversation.
select m.user_id, exists (select from sessions s where s.user_id = m.user_id)
  from memberships m where m.conversation_id = %s and m.until is null order by m.user_id

-- name: drop_memberships
-- Of users without a session, who have received nothing.
delete from memberships m
 where m.conversation_id = %s and not exists (select from sessions s where s.user_id = m.user_id)

-- name: hide_conversation
-- Nobody can write to it or see it any more. The row stays for devices that resume: their streams contain that they left.
update conversations
   set kind = 'group', name = '', topic = '', pair = null, origin = null, created_by = null,
       private = true,
       archived_at = coalesce(archived_at, now())
 where id = %s

-- name: drop_links
delete from links where conversation_id = %s

-- name: drop_bans
delete from bans where conversation_id = %s

-- name: drop_reports
delete from reports where conversation_id = %s

-- name: drop_invitations
delete from invitations where conversation_id = %s

-- name: drop_messages
-- A batch of messages, by seq.
delete from messages where conversation_id = %(conversation)s
   and seq in (select seq from messages where conversation_id = %(conversation)s order by seq limit %(batch)s)
returning seq

-- name: drop_edits
delete from message_edits where conversation_id = %s and seq between %s and %s

-- name: drop_reactions
delete from reactions where conversation_id = %s and seq between %s and %s

-- name: drop_mentions
delete from mentions where conversation_id = %s and seq between %s and %s

-- name: drop_follows
delete from thread_follows where conversation_id = %s and root_seq between %s and %s

-- name: drop_saved
delete from saved_messages where conversation_id = %s and seq between %s and %s

-- name: drop_documents
delete from search_documents where conversation_id = %s and seq between %s and %s

-- name: remove_files
update files set removed_at = now() where conversation_id = %s and seq between %s and %s and removed_at is null

-- name: drop_conversation
-- If no device needs it.
delete from conversations c
 where c.id = %s and not exists (select from memberships m where m.conversation_id = c.id)

-- name: finish_conversation
delete from import_parts where import_id = %s and conversation_id = %s

-- name: next_range
select conversation_id, first, last from import_parts where import_id = %s and kind = 'messages'
 order by conversation_id, first limit 1

-- name: list_messages
select m.* from displayed_messages m where m.conversation_id = %s and m.seq between %s and %s order by m.seq limit %s

-- name: shorten_range
-- The primary key contains the start, so the range is replaced.
update import_parts set first = %s where import_id = %s and kind = 'messages' and conversation_id = %s and first = %s

-- name: keep_authors
insert into import_parts (import_id, kind, first, last)
select distinct %s::bigint, 'kept', author, author from unnest(%s::bigint[]) as author on conflict do nothing

-- name: finish_range
delete from import_parts where import_id = %s and kind = 'messages' and conversation_id = %s and first = %s

-- name: next_members
select conversation_id, first from import_parts where import_id = %s and kind = 'member'
 order by conversation_id, first limit %s

-- name: is_member
select exists (select from sessions s where s.user_id = m.user_id)
  from memberships m where m.conversation_id = %s and m.user_id = %s and m.until is null

-- name: drop_membership
delete from memberships where conversation_id = %s and user_id = %s

-- name: finish_member
delete from import_parts where import_id = %s and kind = 'member' and conversation_id = %s and first = %s

-- name: next_emoji
select first from import_parts where import_id = %s and kind = 'emoji' order by first limit 1

-- name: drop_emoji
delete from custom_emoji where id = %s

-- name: finish_emoji
delete from import_parts where import_id = %s and kind = 'emoji' and first = %s

-- name: next_users
select first from import_parts where import_id = %s and kind = 'user' and first > %s order by first limit %s

-- name: drop_user
-- An account that the import made, if nobody has used it and no other import has.
delete from users u
 where u.id = %(user)s and u.password_hash = '' and u.role = 'member'
   and not exists (select from sessions s where s.user_id = u.id)
   and not exists (select from password_resets r where r.user_id = u.id)
   and not exists (select from memberships m where m.user_id = u.id)
   and not exists (select from import_parts p
                    where p.first = u.id and p.kind in ('user', 'used', 'kept')
                      and (p.kind <> 'user' or p.import_id <> %(import)s))

-- name: release_files
-- Removed files, whose rows the clean-up deletes later, would keep the account: another one gets them until then.
update files f
   set owner_id = coalesce((select u.id from users u
                             where not exists (select from import_parts p
                                                where p.import_id = %(import)s and p.kind = 'user' and p.first = u.id)
                             order by u.id limit 1), f.owner_id)
 where f.owner_id = %(user)s and f.removed_at is not null

-- name: finish_import
-- The next import of the same file starts from its beginning.
delete from imports where id = %s
