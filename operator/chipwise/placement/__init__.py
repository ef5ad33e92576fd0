"""Who goes where, what moves, and why. Pure: the standard library and the solver."""
