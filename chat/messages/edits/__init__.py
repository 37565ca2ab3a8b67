"""Edits: saying something else instead, or taking it back; and what stood there before."""
