"""A bundle as a Kaggle dataset: with the wheels it needs and a notebook that runs offline."""
