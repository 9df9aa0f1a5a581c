"""First-party sources: files, the Hugging Face hub, and a generated demonstration corpus."""
