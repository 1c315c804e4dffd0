"""What a model is: networks, losses, saving, export."""
