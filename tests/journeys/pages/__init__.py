"""Pages of the app: what users see and do there, one verb each."""
