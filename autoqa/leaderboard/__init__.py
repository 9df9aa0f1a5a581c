"""Which of two candidates is better, and how sure one can be."""
