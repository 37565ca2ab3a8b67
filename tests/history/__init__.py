"""The history checker: what every client sent, was acknowledged and received; and what must never be found in it."""
