"""Order files: recognised, normalised to one row per order, and what cannot be read put aside."""
