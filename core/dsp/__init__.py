"""The desk's processors: pure functions on audio, each with a streaming form that gives the same samples.

Audio is float32 of shape (channels, frames), full scale +-1.0. A streaming form is an object with
`process(block) -> block` of the same length and `latency_samples`, the delay that its caller compensates.

NaN, infinity and samples beyond +200 dBFS are refused where audio enters: by every pure function and every source.
Streaming forms trust their caller. A constant offset passes everything but high-passes and `filters.remove_dc`, and
counts as level in a detector without a side-chain high-pass.
"""
