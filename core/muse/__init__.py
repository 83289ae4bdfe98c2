"""The muse: hears what a band played, its beat, key and chords, and proposes motifs that go with it.

A motif is notes, a sketch of how they sound with the band, and the reasons; nothing of the recording is changed.
"""
