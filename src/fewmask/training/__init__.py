"""Makes a model: recipe, plan, batches, fit."""
