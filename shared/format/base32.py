"""Crockford's base 32: letters that people copy without mistaking one for another."""

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

VALUES = {character: value for value, character in enumerate(ALPHABET)}

_MISTAKEN = str.maketrans({"O": "0", "I": "1", "L": "1"})


def encode(data: bytes) -> str:
    """Upper case, most significant bit first, filled up with zero bits."""
    characters = -(-len(data) * 8 // 5)
    number = int.from_bytes(data) << characters * 5 - len(data) * 8
    return "".join(ALPHABET[number >> shift & 31] for shift in range(characters * 5 - 5, -1, -5))


def decode(values: list[int], length_bytes: int) -> bytes:
    """The first `length_bytes` bytes of 5-bit values. Raises `ValueError` when the bits that fill up are not zero."""
    number = 0
    for value in values:
        number = number << 5 | value
    spare = len(values) * 5 - length_bytes * 8
    if number & (1 << spare) - 1:
        raise ValueError("the last bits are not zero")
    return (number >> spare).to_bytes(length_bytes)


def normal(text: str) -> str:
    """Upper case without spaces and hyphens; O reads as 0, I and L as 1 (Crockford)."""
    return "".join(text.upper().replace("-", " ").split()).translate(_MISTAKEN)
