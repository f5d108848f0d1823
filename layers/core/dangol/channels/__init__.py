"""What a message looks like on its channel. Nothing here sends anything."""

EMAIL, PUSH = "email", "push"
CHANNELS = (EMAIL, PUSH)
