"""The only code that speaks to AWS. Errors are told apart by their codes, never by their texts."""
