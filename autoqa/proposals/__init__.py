"""Which recipes a study may try: the space of each backbone, and the points tried first."""
