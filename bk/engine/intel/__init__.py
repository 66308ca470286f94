"""Threat intelligence: the index and what feeds it."""
