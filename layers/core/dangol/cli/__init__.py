"""The `dangol` command."""
