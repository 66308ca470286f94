"""Stand-ins for package managers."""
