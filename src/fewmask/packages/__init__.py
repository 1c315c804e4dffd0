"""How datasets travel: by name, checked at every step."""
