"""Configuration: the schema, its layers, editing, and the compiled snapshot."""
