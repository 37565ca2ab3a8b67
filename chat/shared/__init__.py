"""What both channels lean on; it imports neither of them."""
