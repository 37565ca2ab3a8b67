"""The tests: journeys and promises, and a mirror of each part."""
