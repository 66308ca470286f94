"""What is installed, read from files alone: observations, and the places that a move would have to name."""
