"""`hortctl`, or `python -m operator_cli`: the provider's tool.

What works on the service's own settings loads the service when it is called; all else goes over the API.
"""

import sys
from typing import Annotated

import typer

from operator_cli import accounts, ledgers, signing_keys, staff, users
from operator_cli.signing_in import Operator, PasswordFile, ServiceUrl, provider
from shared.api.identity import CreateUser
from shared.domain.errors import HortError
from shared.domain.tenancy import Role

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, add_completion=False)
app.add_typer(staff.app, name="staff")
app.add_typer(users.app, name="users")
app.add_typer(signing_keys.app, name="signing-keys")
app.add_typer(accounts.accounts, name="accounts")
app.add_typer(accounts.devices, name="devices")
app.add_typer(accounts.codes, name="codes")
app.add_typer(ledgers.charges, name="charges")
app.add_typer(ledgers.incidents, name="incidents")


@app.command()
def init() -> None:
    """Create the tables and containers that are missing. Safe to repeat."""
    from operator_cli.local import services

    services().create_storage()
    typer.echo("storage is ready")


@app.command()
def add_customer(
    name: Annotated[str, typer.Argument(help="The customer, such as a firm.")],
    user: Annotated[str, typer.Option(help="Its first user: a person's full name.")],
    login: Annotated[str, typer.Option(help="The name that person logs in with.")],
    service: ServiceUrl,
    operator: Operator,
    password_file: PasswordFile = None,
    account: Annotated[str, typer.Option(help="What to call its first account.")] = "Backups",
) -> None:
    """Create a customer with one account and its first administrator, and print the first password, once."""
    there = provider(service, operator, password_file)
    customer = there.create_customer(name)
    vault = there.create_account(customer.id, account)
    made = there.create_user(customer.id, CreateUser(name=user, login=login, role=Role.ADMIN))
    typer.echo(f"customer {customer.id}\naccount  {vault.id}\nlogin    {made.login}\npassword {made.password}")


@app.command()
def new_ca(
    name: Annotated[str, typer.Argument(help="What the certificate calls it, such as «Example Backup CA».")],
) -> None:
    """Print a fresh HORT_CA: the devices' certificate authority, certificate and private key. Secret."""
    from shared.identity.ca import new_authority
    from shared.settings import wall_clock

    typer.echo(new_authority(name, wall_clock()))


@app.command()
def certify_ca(
    name: Annotated[str, typer.Argument(help="What the certificate calls it.")],
    key_id: Annotated[str, typer.Argument(help="An RSA key in Key Vault: https://<vault>/keys/<name>/<version>.")],
) -> None:
    """Print a HORT_CA without a private key, for an authority whose key lies in Key Vault (HORT_CA_KEY_ID)."""
    from azure.identity import DefaultAzureCredential
    from cryptography.hazmat.primitives.serialization import Encoding

    from shared.identity.ca import key_in_vault, self_signed
    from shared.settings import wall_clock

    certificate = self_signed(name, key_in_vault(key_id, DefaultAzureCredential()), wall_clock())
    typer.echo(certificate.public_bytes(Encoding.PEM).decode())


def main() -> None:
    try:
        app(prog_name=accounts.NAME)
    except (HortError, OSError) as fault:
        sys.exit(f"{accounts.NAME}: {fault}")


if __name__ == "__main__":
    main()
