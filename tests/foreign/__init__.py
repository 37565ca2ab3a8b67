"""Third-party clients and checkers from npm and PyPI, used unchanged."""
