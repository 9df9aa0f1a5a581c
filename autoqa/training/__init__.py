"""One run of one recipe: schedule, snapshots, predictions."""
