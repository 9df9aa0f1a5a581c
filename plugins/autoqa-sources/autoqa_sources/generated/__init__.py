"""Questions that models ask about texts without any."""
