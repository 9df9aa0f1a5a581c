"""Who trains: the contract of a worker, and its kinds."""
