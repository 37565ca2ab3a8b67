"""The proof that nothing is lost: everything is broken on purpose, and what every client saw is checked."""
