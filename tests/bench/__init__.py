"""The bench itself: each sub-command runs, small."""
