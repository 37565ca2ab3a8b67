-- Bots have an owner: the user who made their API key or incoming hook; none if the command line or the server did.

alter table users add column owner_id bigint references users on delete set null;
create index users_owner on users (owner_id) where owner_id is not null;

update users u set owner_id = k.created_by from api_keys k where k.user_id = u.id and k.created_by is not null;
update users u set owner_id = h.created_by from incoming_hooks h where h.user_id = u.id and h.created_by is not null;
