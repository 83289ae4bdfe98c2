"""Renders a mix plan to stereo and stems, streaming, in bounded memory."""
