"""Doubtful labels: where an answer was meant to stand, which labels candidates contradict."""
