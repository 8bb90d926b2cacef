"""Reads the curated tables, shows them and hands them out."""
