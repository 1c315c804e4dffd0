"""Samples for training frameworks: what Keras' `fit` and torch's `DataLoader` take."""
