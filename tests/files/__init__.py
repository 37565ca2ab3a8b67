"""Files, from the first byte of an upload to the deletion of the last one."""
