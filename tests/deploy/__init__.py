"""Files of `deploy/`: run where possible, otherwise checked."""
