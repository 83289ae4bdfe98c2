"""A plugin for pytest: properties are tried with a few examples each, since an emulated processor is slow."""

from hypothesis import settings

settings.register_profile("few", max_examples=5, deadline=None, database=None)
settings.load_profile("few")
