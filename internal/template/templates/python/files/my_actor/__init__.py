"""The Actor's code."""
