"""What is plugged in: audio interfaces, USB drives and the health of the box."""
