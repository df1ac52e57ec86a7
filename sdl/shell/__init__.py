"""Does, never decides: clock, journal, bus, node, planner and the loop that joins them."""
