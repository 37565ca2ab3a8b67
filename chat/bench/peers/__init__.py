"""Peers: what else carries messages to many readers, installed from the registries and driven in the same run."""
