"""How long the agent tries before it gives up."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """The other side may be away for `absence_seconds` from the first failure on, and is tried `attempts` times.

    The attempts are for a slow upload that breaks late: its first failure has used up the seconds.
    """

    absence_seconds: float = 150.0
    attempts: int = 5
    first_wait_seconds: float = 0.2
    longest_wait_seconds: float = 10.0
    connect_seconds: float = 10.0
    silence_seconds: float = 60.0
    """How long a connection may carry nothing."""

    def wait_seconds(self, failures: int, jitter: float) -> float:
        """Before the next try, after so many failures in a row; `jitter` is drawn from 0 to 1."""
        steepest = min(self.longest_wait_seconds, self.first_wait_seconds * 2.0 ** min(failures - 1, 30))
        return steepest * (0.5 + jitter / 2)

    def is_over(self, failures: int, absent_seconds: float, wait_seconds: float) -> bool:
        """Whether not to wait once more; the other side may have asked for a longer wait than we have."""
        if wait_seconds > self.absence_seconds:
            return True
        return failures >= self.attempts and absent_seconds + wait_seconds > self.absence_seconds
