-- When the user of a session last proved who they are: at log-in, or later with a password, passkey or code.
-- Sessions from before this migration have no proof. The default serves nodes of the version before.

alter table sessions add column proved_at timestamptz;
alter table sessions alter column proved_at set default now();
