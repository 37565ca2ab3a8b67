-- Reminders that are posted in a channel, in the name of the user who set them.
alter table reminders add column post_to bigint references conversations on delete set null;
create index reminders_post_to on reminders (post_to) where post_to is not null;
