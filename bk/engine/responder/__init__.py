"""What is installed, held against what is known; and the one gate before anything is moved."""
