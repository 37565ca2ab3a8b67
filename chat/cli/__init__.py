"""The commands of `tandem`."""
