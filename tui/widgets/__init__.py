"""What screens are made of: painted lines, never a widget per cell."""
