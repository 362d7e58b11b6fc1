"""Writes the frozen vectors of the passphrase and device slots. It ran once for version 1, after `make`.

Run it only for a new version, into its folder: `python -m tests.vectors.make_slots tests/vectors/v2`.
"""

import hashlib
import json
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from shared.format import slots
from tests.vectors.make import ACCOUNT, MASTER, stream

PASSPHRASE = "Käse, Brot und Wein"
DEVICE, EPHEMERAL = (X25519PrivateKey.from_private_bytes(hashlib.sha256(name).digest()) for name in (b"x", b"once"))


def main(folder: Path) -> None:
    entropy = stream(b"slots")
    passphrase = slots.seal_passphrase(MASTER, PASSPHRASE, ACCOUNT, entropy(16), entropy(12))
    device = slots.seal_device(MASTER, DEVICE.public_key(), ACCOUNT, EPHEMERAL, entropy(12))
    facts = {
        "passphrase": PASSPHRASE,
        "passphrase_slot": passphrase.hex(),
        "device_private_key": DEVICE.private_bytes_raw().hex(),
        "device_slot": device.hex(),
    }
    (folder / "slots.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
