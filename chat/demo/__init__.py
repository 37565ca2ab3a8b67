"""A believable team and its talk, for an empty database: `tandem up --demo`."""
