"""The programs that are compared, each as the commands of one repository of its own."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient, ContainerSasPermissions, generate_container_sas

from bench.measure import Command
from demo.stack import Stack
from localhost.azurite import ACCOUNT, ACCOUNT_KEY
from operator_cli.provider import Provider
from shared.api.identity import CreateUser
from shared.domain.tenancy import Role

REPOSITORY = Path(__file__).resolve().parents[1]
SECRET = "correct horse battery staple"


class Repository(Protocol):
    """One tool's. Sources and targets are absolute; a restore brings the sources' whole paths below `target`."""

    @property
    def tool(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def stored(self) -> Path:
        """The folder in which all that it stores lies."""
        ...

    def make(self) -> Sequence[Command]: ...

    def backup(self, source: Path) -> Command: ...

    def restore(self, target: Path) -> Command:
        """Of the newest snapshot."""
        ...

    def restore_one(self, path: Path, target: Path) -> Command: ...

    def check(self) -> Command: ...


@dataclass(frozen=True, slots=True)
class Hort:
    """Ours, on a vault in a folder, or behind the service when there is a `stack`."""

    root: Path
    stack: Stack | None = None

    tool = "hort"

    @property
    def version(self) -> str:
        return _said(["git", "-C", str(REPOSITORY), "describe", "--always", "--dirty"])

    @property
    def stored(self) -> Path:
        return self.stack.state / "azurite" if self.stack else self.root / "vault"

    def make(self) -> Sequence[Command]:
        if self.stack is None:
            return (self._hort("init", "--kit", str(self.root / "kit.txt")),)
        return (self._hort(*_register(self.stack, self.root)),)

    def backup(self, source: Path) -> Command:
        return self._hort("backup", str(source))

    def restore(self, target: Path) -> Command:
        return self._hort("restore", "latest", "--target", str(target))

    def restore_one(self, path: Path, target: Path) -> Command:
        return self._hort("restore", "latest", str(path), "--target", str(target))

    def check(self) -> Command:
        return self._hort("check")

    def _hort(self, *arguments: str) -> Command:
        vault = () if self.stack else ("--vault", f"file://{self.root / 'vault'}")
        command = [sys.executable, "-m", "agent", *arguments, *vault, "--json"]
        return Command(command, {"HORT_HOME": str(self.root / "home")}, REPOSITORY)


@dataclass(frozen=True, slots=True)
class Restic:
    """zstd as it comes (`auto`), encrypted; behind `rclone serve restic` when there is a `stack`."""

    program: str
    root: Path
    stack: Stack | None = None
    rclone: str = "rclone"

    tool = "restic"

    @property
    def version(self) -> str:
        return _said([self.program, "version"]).split()[1]

    @property
    def stored(self) -> Path:
        return self.stack.state / "azurite" if self.stack else self.root / "repository"

    def make(self) -> Sequence[Command]:
        return (self._restic("init"),)

    def backup(self, source: Path) -> Command:
        return self._restic("backup", str(source))

    def restore(self, target: Path) -> Command:
        return self._restic("restore", "latest", "--target", str(target))

    def restore_one(self, path: Path, target: Path) -> Command:
        return self._restic("restore", "latest", "--include", str(path), "--target", str(target))

    def check(self) -> Command:
        return self._restic("check")

    def _restic(self, *arguments: str) -> Command:
        where, environment = str(self.root / "repository"), dict[str, str]()
        command = [self.program, "--cache-dir", str(self.root / "cache")]
        if self.stack is not None:
            where, environment = f"rclone:azurite:{self.root.name}/repository", _rclone(self.stack, self.root.name)
            command += ["-o", f"rclone.program={self.rclone}"]
        return Command([*command, "-r", where, *arguments], {**environment, "RESTIC_PASSWORD": SECRET})


@dataclass(frozen=True, slots=True)
class Borg:
    """zstd 3, as the others compress, encrypted."""

    program: str
    root: Path

    tool = "borg"

    @property
    def version(self) -> str:
        return _said([self.program, "--version"]).split()[1]

    @property
    def stored(self) -> Path:
        return self.root / "repository"

    def make(self) -> Sequence[Command]:
        return (self._borg("init", "--make-parent-dirs", "--encryption", "repokey-blake2", str(self.stored)),)

    def backup(self, source: Path) -> Command:
        return self._borg("create", "--compression", "zstd,3", f"{self.stored}::{{now:%Y%m%d%H%M%S.%f}}", str(source))

    def restore(self, target: Path) -> Command:
        return self._extract(target)

    def restore_one(self, path: Path, target: Path) -> Command:
        return self._extract(target, str(path).lstrip("/"))

    def check(self) -> Command:
        return self._borg("check", str(self.stored))

    def _extract(self, target: Path, *paths: str) -> Command:
        """Its newest archive has no name of its own, so a shell asks for it first; borg extracts to where it runs."""
        target.mkdir(parents=True)
        newest = '"$1" extract "$2::$("$1" list --last 1 --format "{archive}" "$2")" "${@:3}"'
        command = ["bash", "-c", newest, "borg", self.program, str(self.stored), *paths]
        return Command(command, self._environment, target)

    def _borg(self, *arguments: str) -> Command:
        return Command([self.program, *arguments], self._environment)

    @property
    def _environment(self) -> dict[str, str]:
        return {
            "BORG_BASE_DIR": str(self.root),
            "BORG_PASSPHRASE": SECRET,
            "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes",
        }


def found(program: str) -> str | None:
    """Where a program is that the machine may have or not."""
    return shutil.which(program)


def _register(stack: Stack, root: Path) -> list[str]:
    """A customer of its own for each repository, so that no other's backups are in the account."""
    root.mkdir(parents=True, exist_ok=True)
    login, first, own = f"{root.name}@example.com", root / "first-password", root / "password"
    provider = Provider(stack.url, "operator@provider.example", stack.operator_password())
    customer = provider.create_customer(root.name)
    provider.create_account(customer.id, "Bench")
    user = provider.create_user(customer.id, CreateUser(name="Bench Mark", login=login, role=Role.ADMIN))
    first.write_text(user.password)
    own.write_text(SECRET)
    passwords = ["--password-file", str(first), "--new-password-file", str(own)]
    return ["register", "--service", stack.url, "--login", login, *passwords, "--kit", str(root / "kit.txt")]


def _rclone(stack: Stack, container: str) -> dict[str, str]:
    """The remote `azurite`, told by the environment: a SAS for one container, as rclone 1.60 takes no other address."""
    service = BlobServiceClient.from_connection_string(stack.settings.storage.get_secret_value())
    client = service.get_container_client(container)
    with contextlib.suppress(ResourceExistsError):
        client.create_container()
    leave = ContainerSasPermissions(read=True, write=True, delete=True, list=True, create=True)
    end = datetime.now(UTC) + timedelta(days=1)
    sas = generate_container_sas(ACCOUNT, container, account_key=ACCOUNT_KEY, permission=leave, expiry=end)
    return {
        "RCLONE_CONFIG_AZURITE_TYPE": "azureblob",
        "RCLONE_CONFIG_AZURITE_SAS_URL": f"{client.url}?{sas}",
        "RCLONE_CONFIG": os.devnull,
    }


def _said(command: Sequence[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
