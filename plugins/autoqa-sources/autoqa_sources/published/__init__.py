"""Published data sets, read from the files that their authors put on the Hugging Face hub."""
