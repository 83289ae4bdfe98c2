"""From a mix to a master that meets its target."""
