"""The studio without a face: capture, listening, mixing, mastering, export, and the protocol to drive them."""
