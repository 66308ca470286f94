"""Keeping the threat catalogs: what runs in the worker process, and what others may read of it."""
