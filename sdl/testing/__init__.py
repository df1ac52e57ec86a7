"""What a lab's own tests can use: contracts for planners, drivers and simulators."""
