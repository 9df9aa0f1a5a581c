"""What a search's time holds: how long runs take, how many fit, which are not worth their end."""
