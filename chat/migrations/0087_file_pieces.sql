-- How many pieces were sent for a file, which is limited; stored are fewer, for short ones are merged.
alter table files add column pieces integer not null default 0;
