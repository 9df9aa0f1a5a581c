"""Repositories of the Hugging Face hub: what of them lies here, and what is fetched."""
