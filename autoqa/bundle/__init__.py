"""What a bundle is: its format, opening it, answering with it."""
