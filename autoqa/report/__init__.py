"""Pages, tables and sentences about a study, for people."""
