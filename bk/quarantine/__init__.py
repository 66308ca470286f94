"""The reversible quarantine."""
