"""The applications that run on other libraries."""
