"""Blob and Table access, one module an aggregate."""
