-- Users and conversations that belong to something in another system, and the bot through which an application acts.

alter table users
    add column if not exists email text,     -- as another system knows it; only admins and keys read it
    add column if not exists avatar_url text;  -- where another system had the picture
alter table conversations add column external_id text;
alter table audit add column acted_by bigint;  -- the bot of the API key that acted for the actor
