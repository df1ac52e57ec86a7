"""The virtual lab: the same runtime on a virtual clock."""
