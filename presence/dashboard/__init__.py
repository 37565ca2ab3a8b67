"""The admin dashboard: figures, users and conversations, evidence for a status."""
