"""Workflows: deterministic, and to be read like prose."""
