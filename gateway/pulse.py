"""Whether a server is up or down, judged by its last few answers rather than by one."""

import msgspec


class Pulse(msgspec.Struct, frozen=True):
    """What the looks at one server have come to. It counts as up until it has failed enough."""

    down: str = ""  # why it is held for down; "": it is up
    against: int = 0  # answers in a row that speak against what it is held for

    def after(self, trouble: str, down_after: int, up_after: int) -> "Pulse":
        """Judge one more look; `trouble` is "" where all was well."""
        if not self.down:
            if not trouble:
                return Pulse()
            failures = self.against + 1
            return Pulse(trouble) if failures >= down_after else Pulse(against=failures)
        if trouble:
            return Pulse(trouble)
        successes = self.against + 1
        return Pulse() if successes >= up_after else Pulse(self.down, successes)
