"""Threat catalogs as a person may ask about them and steer them; what changes something leaves an entry."""
