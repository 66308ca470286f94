"""Asking one feed: pinned, bounded, conditional, resumable, and never longer than it may take."""
