"""What the exit code says; scripts rely on these numbers, so they never change their meaning."""

from enum import IntEnum


class Exit(IntEnum):
    OK = 0
    FAILED = 1
    USAGE = 2
    INCOMPLETE = 3
    """It ended, and something was skipped or is damaged: the output names it."""
    NOT_AUTHORISED = 4
    """Not registered, or the service does not know us, or we may not."""
    UNREACHABLE = 5
    WRONG_KEY = 6
    BUSY = 7
    """Another run is going on."""
    DAMAGED = 8
    """The vault is not what was written into it."""
    INTERRUPTED = 130
    """Ctrl-C or SIGTERM; an open session goes on with the next run."""

    @property
    def word(self) -> str:
        """As `--json` shows it: `wrong-key`."""
        return self.name.lower().replace("_", "-")


def exit_for(fault: Exception) -> Exit:
    """The exit code of an error we expected; the imports wait for a fault, so that the good days start fast."""
    from agent.cli.reopening import ShutOut
    from agent.config import NotRegistered
    from agent.lock import AnotherRun
    from agent.replies import NotAuthorised
    from agent.transport import Unreachable
    from agent.vault import VaultObjectMissing
    from shared.domain.errors import Malformed
    from shared.format.errors import BadSignature, Damaged, WrongPassphrase, WrongRecoveryKey

    match fault:
        case NotRegistered() | NotAuthorised() | ShutOut():
            return Exit.NOT_AUTHORISED
        case Unreachable():
            return Exit.UNREACHABLE
        case WrongRecoveryKey() | WrongPassphrase() | Malformed(field="recovery key"):
            return Exit.WRONG_KEY
        case AnotherRun():
            return Exit.BUSY
        case Damaged() | BadSignature() | VaultObjectMissing():
            return Exit.DAMAGED
        case Malformed():
            return Exit.USAGE
        case _:
            return Exit.FAILED
