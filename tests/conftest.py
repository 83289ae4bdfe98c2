"""What every test can count on."""

import signal

# A run started in the background by a shell ignores Ctrl-C, and so would every program that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
