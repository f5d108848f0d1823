"""Erasing a person: who they are in the data, how they are found in files, and what keeps them from coming back."""
