"""Stories of imports."""
