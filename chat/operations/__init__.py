"""Operations: health, metrics, overload, draining, and the audit log."""
