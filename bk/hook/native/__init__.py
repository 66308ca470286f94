"""The native client: its source, and the build hook that compiles it."""
