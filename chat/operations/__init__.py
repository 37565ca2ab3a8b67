"""What operators and load balancers ask a node."""
