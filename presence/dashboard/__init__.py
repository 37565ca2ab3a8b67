"""The dashboard of operators: figures, people, evidence."""
