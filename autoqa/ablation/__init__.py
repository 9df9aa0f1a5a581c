"""What of a recipe helps: the same runs with and without it, from the same seeds."""
