"""Uses a model: pictures in, label maps out."""
