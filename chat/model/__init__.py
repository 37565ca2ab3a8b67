"""Values that several subjects share: ids, names, conversations, messages, events, errors. Pure."""
