"""Everything that needs a real control plane: the tooling that starts one, the tests and the demo that use it."""
