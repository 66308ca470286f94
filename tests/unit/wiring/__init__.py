"""Clients wired in and out."""
