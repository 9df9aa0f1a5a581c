"""Jobs of workers: handed out, heard, shown, interrupted, and kept within their time."""
