"""Dashboard: its figures are true, cost little, and show no invisible user."""
