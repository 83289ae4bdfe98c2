"""Work that takes time, done by a process of its own that may die."""
