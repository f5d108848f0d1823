"""Invitations to one-to-one sessions: what is offered, who is asked, who replied what."""
