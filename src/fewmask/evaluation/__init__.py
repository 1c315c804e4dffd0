"""Judges a model: scores, baselines, report."""
