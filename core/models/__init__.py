"""The learned networks: what they are fed, how they are run, and what OTO does when one can't be."""
