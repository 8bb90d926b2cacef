"""Turns raw events into curated events and daily counts."""
