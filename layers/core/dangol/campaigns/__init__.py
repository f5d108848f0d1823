"""Campaigns: what is said to whom, when, and whether it may be. Pure: times, keys and people are given."""
