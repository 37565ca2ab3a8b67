"""Code that both channels use, messages and presence. It imports neither."""
