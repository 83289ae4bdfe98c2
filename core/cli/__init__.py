"""The command line: the contract that scripts rely on."""
