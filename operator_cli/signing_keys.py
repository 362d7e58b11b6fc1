"""`signing-keys`: another key for access tokens, without logging anybody out."""

from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Change the key that signs tokens without logging anybody out."
)

Kid = Annotated[str, typer.Argument(help="A name for the key, such as 2026-11.")]


@app.command()
def new(kid: Kid) -> None:
    """Print a first HORT_SIGNING_KEYS. Secret: keep it in Key Vault."""
    from shared.identity import keyring

    typer.echo(keyring.new_jwk_set(kid))


@app.command()
def announce(kid: Kid) -> None:
    """Print HORT_SIGNING_KEYS with one more key that is published and does not sign yet; go on after five minutes."""
    from shared.identity import keyring

    typer.echo(keyring.announced(_now(), kid))


@app.command()
def promote() -> None:
    """Print HORT_SIGNING_KEYS with the announced key as the one that signs; go on after twenty minutes."""
    from shared.identity import keyring

    typer.echo(keyring.promoted(_now()))


@app.command()
def retire() -> None:
    """Print HORT_SIGNING_KEYS with nothing but the key that signs."""
    from shared.identity import keyring

    typer.echo(keyring.retired(_now()))


def _now() -> str:
    from operator_cli.local import services

    return services().settings.signing_keys.get_secret_value()
