"""The trail of a session: which files earlier calls filled with downloads, secrets or decoded data."""
