"""Who an MCP server was, and what its tools said, when they were first used or accepted by a person."""
