"""What a configuration would train, and what a step of it would cost, found out without a single number computed."""
