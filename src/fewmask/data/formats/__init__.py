"""Masks as labelling tools and contests store them: read as a dataset, and written from one."""
