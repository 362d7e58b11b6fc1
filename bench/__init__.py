"""Measurements: each module writes one file of results."""
