"""Measurement: what a campaign changed, against people who were left out of it."""
