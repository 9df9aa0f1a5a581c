"""The command line; what a command imports waits until it runs."""
