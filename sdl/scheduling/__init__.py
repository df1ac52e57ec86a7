"""The constraint model of a bench and its solver, which runs in a process of its own."""
