"""Answers downloads and writes raw events."""
