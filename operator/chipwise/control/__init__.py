"""The loops that act."""
