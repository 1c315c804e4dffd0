"""Folders of images and masks: what belongs together, by evidence."""
