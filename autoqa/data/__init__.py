"""Sources become checked examples, split by document, portioned by recipe."""
