"""The resident engine: socket server, life cycle, scheduler."""
