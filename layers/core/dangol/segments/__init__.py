"""Who is in which segment: features, the rule language, the policy, and what changed."""
