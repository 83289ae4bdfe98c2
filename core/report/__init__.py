"""The render report: what a bounce was before and is now, what was done to it and why, on one page."""
