"""Which candidates are members, and why."""
