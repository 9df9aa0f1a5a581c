"""Entry points become records; records are looked up and bound to a study."""
