"""A finished run's ensemble is written as a bundle: weights, card, ONNX, Kaggle kit."""
