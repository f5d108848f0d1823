"""The moves: append what was dropped, refresh what follows from it, serve what changed."""
