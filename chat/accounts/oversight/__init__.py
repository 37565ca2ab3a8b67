"""What server admins may do with the accounts of others; each of it stands in the audit."""
