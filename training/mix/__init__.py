"""Trains the mix controller: songs whose authors' balance is known, and what the rules would have made of them."""
