"""Augmentation: training pictures changed by chance, image and mask alike."""
