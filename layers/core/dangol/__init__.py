"""Dangol (단골): customer segments and campaigns for shops, in their own AWS account."""

__version__ = "0.1.0"
