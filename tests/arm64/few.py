"""A plugin for pytest, for a slow processor: no deadlines, and few examples where a test does not say how many."""

from hypothesis import settings

settings.register_profile("few", max_examples=5, deadline=None, database=None)
settings.load_profile("few")
