"""Options that commands of more than one module take."""

from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
Login = Annotated[str, typer.Option("--login", metavar="NAME", help="Your user name.")]
PasswordFile = Annotated[
    Path | None,
    typer.Option("--password-file", metavar="FILE", help="Its first line; else HORT_PASSWORD, else asked."),
]
PassphraseFile = Annotated[
    Path | None, typer.Option("--passphrase-file", metavar="FILE", help="Its first line is the passphrase; else asked.")
]
Account = Annotated[
    str | None, typer.Option("--account", metavar="ID", help="Which of your accounts, if you have several.")
]
Vault = Annotated[
    str | None,
    typer.Option("--vault", metavar="URL", help="A vault in a folder, file:///path, not the service."),
]
RecoveryKey = Annotated[
    str | None, typer.Option("--recovery-key", metavar="KEY", help="The 13 groups of the kit, instead of its file.")
]
Limit = Annotated[
    list[str] | None,
    typer.Option(metavar="RATE", help="Send no faster: `2 MiB` a second, `08:00-18:00 500 KiB`; may be given again."),
]
