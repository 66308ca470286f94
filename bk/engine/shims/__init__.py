"""Stand-ins for package managers on the PATH: what a person or a script installs is decided like an agent's call."""
