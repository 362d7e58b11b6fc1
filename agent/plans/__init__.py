"""Named backup sets and when they are due: rules only, no clock and no disk."""
