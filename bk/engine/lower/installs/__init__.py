"""Package managers' command lines, one module a family."""
