"""One module a repository format, each with one pure function.

    def classify(segments: Segments) -> Artifact

It gets the decoded segments of a file's path below the route's prefix, none of them empty and at
least one, and is total: what a format does not know is metadata of the repository itself. Only what
people install is a download, once for each install where the format allows; what clients fetch to
choose and to verify is metadata.
"""
