"""`tandem doctor`: looks at everything that Tandem stands on, and says what to change where."""
