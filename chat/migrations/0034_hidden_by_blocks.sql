-- A block hides the two from each other, no matter which of them set it: presence and typing ask this view alone.

create or replace view hidden_people (viewer_id, user_id) as
select user_id, blocked_id from blocks
 union all
select blocked_id, user_id from blocks;
