"""What deploy/ holds, run where it can be run, else checked against what it must be."""
