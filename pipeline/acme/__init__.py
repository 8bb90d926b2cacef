"""The demo's cast: a small company, its packages, its users and their machines."""
