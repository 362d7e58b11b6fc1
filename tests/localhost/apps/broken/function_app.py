"""An app that cannot be imported."""

raise RuntimeError("cannot be imported")
