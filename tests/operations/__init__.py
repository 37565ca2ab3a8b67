"""Operations: admission, metrics, the audit log, the canary, the doctor and the API's description."""
