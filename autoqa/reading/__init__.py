"""Files of any format become rows."""
