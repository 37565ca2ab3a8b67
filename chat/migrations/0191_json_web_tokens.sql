-- Users of another system, and their sessions by JSON Web Tokens.

alter table users add column external_id text;
create unique index users_external on users (external_id) where external_id is not null;

-- The session of a token stays until the token has expired, so that a token whose session was ended stays refused.
alter table sessions add column jwt boolean not null default false;
