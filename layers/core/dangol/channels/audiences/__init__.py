"""Audiences for advertising elsewhere: who may be named to an ad platform, and the hashed files that name them."""
