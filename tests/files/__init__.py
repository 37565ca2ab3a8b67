"""Files, from the first byte sent to the last one swept."""
