"""The values that several subjects share: ids, names, conversations, messages, payloads of log entries, errors. Pure."""
