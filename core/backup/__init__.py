"""The library and the settings on a drive, and back on another box."""
