"""The message streams of one node: resume, live delivery, connections, records."""
