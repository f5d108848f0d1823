"""Campaign: launch what is due, deliver it, and heed what people answer."""
