"""What each command does, from a request to a folder of results; `cli` reads the request."""
