"""What users see and do on the pages of the app, a verb each."""
