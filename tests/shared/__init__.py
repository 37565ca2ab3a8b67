"""What both channels lean on."""
