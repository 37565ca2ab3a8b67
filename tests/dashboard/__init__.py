"""What operators see is true, costs little, and shows nobody who wants not to be seen."""
