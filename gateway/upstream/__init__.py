"""Talking to upstreams: registries and package indexes, their tokens and our caches."""
