"""Exceptions that a person makes: scoped, dated, on record, and never for what guards the guard, keys or malware."""
