"""The desk's processors in PyTorch, so that what sets the knobs can be trained through what they do.

Audio is Tensor[batch, channels, frames], full scale ±1.0, float32 or float64, and comes back in its own type. A knob is
a number for the whole batch or a Tensor[batch], in the units of `core.plans.parameters`; designs are made in float64.
Every function is the twin of its namesake in `core.dsp`, its latency taken out, cut off where the audio ends.
"""
