"""Trains what core.models runs. Nothing of the studio imports this; PyTorch lives here alone."""
