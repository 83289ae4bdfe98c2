"""The built-in interface: a band that plays, or a folder of recordings as if they came from the stage."""
