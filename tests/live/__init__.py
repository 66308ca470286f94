"""Real agents from their registries, a scripted model on the loopback, and the guard between them and the machine."""
