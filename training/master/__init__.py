"""Trains the mastering controller: finished songs made worse by known amounts, and what would undo it."""
