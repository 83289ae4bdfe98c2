"""The front of a box: its pedals, buttons and light, as one client of the engine among others."""
