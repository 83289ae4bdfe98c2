"""The role recogniser: a small network that says what is on a track."""
