"""The API described for machines, from what the server itself runs: its routes, handlers, models and refusals."""
