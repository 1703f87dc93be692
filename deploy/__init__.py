"""What an installation needs around the program: real servers for development and tests, started by one command."""
