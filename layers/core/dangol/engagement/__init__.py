"""E-mail engagement: what SES tells, and which of it a person did."""
