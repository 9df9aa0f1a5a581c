"""Who trains: the contract of a worker, its kinds, and what the machine has room for."""
