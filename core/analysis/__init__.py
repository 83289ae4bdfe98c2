"""Listening: loudness, spectrum, what a track is."""
