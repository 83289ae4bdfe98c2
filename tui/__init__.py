"""The terminal studio: a client of the engine that holds no truth of its own."""
