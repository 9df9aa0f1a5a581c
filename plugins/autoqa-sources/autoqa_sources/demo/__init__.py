"""A corpus made on the spot: facts about invented places and people in five languages."""
