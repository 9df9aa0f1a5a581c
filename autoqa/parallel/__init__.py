"""One run on several devices: a process on each, what they are told and what they exchange."""
