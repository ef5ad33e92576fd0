"""What goes over the wire; the code is written by ``make protos``."""
