"""The instruments of the band, each synthesised from physics or from the maths of its electronics."""
