"""What a study leaves behind: tables, prediction files, weights."""
