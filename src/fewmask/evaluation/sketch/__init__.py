"""A quick model of pixels, which tells in seconds what a dataset allows."""
