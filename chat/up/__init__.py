"""`tandem up`: everything one machine needs, started in order, watched, and stopped in reverse."""
