"""What plugin authors run against their own plugins."""
