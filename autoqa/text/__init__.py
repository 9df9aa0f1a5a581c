"""Words, scripts, white space and the rules that clean up the ends of answers."""
