-- Who is hidden from whom although they share a conversation: the one place that presence and typing ask. Whatever hides
-- people from each other replaces this view, with a row for each direction.

create view hidden_people (viewer_id, user_id) as select null::bigint, null::bigint where false;
