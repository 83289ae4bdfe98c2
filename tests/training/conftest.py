"""What every test of training can count on."""

import importlib.util

if importlib.util.find_spec("torch"):
    import torch

    # Two tests of two threads each on two busy cores wait for each other.
    torch.set_num_threads(1)
