"""Sizes that tell little: Padmé (Nikitin et al., Reducing Metadata Leakage from Encrypted Files, PETS 2019)."""


def padme(size_bytes: int) -> int:
    """The next size that keeps only the highest bits: at most 12 % more, under 4 % from 1 MiB on.

    Of all sizes up to L, only O(log log L) bits can still be learned.
    """
    if size_bytes < 2:
        return size_bytes
    exponent = size_bytes.bit_length() - 1
    kept_bits = exponent.bit_length()
    mask = (1 << exponent - kept_bits) - 1 if exponent > kept_bits else 0
    return (size_bytes + mask) & ~mask
