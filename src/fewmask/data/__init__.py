"""What there is to learn from: datasets, their images and masks."""
