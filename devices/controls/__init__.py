"""Foot switches, buttons and MIDI controllers: what is plugged in, and what of it is pressed."""
