"""The side of the gateway that talks to upstreams: registries and package indexes, their tokens and caches."""
