"""Members' predictions become one answer."""
