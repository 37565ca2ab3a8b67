"""The message streams of one node: who reads what, resume, live delivery, beats, ends."""
