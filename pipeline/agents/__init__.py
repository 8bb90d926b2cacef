"""What a user agent tells: the program, its runtime and the system it runs on."""
