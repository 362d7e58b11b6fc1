"""The use cases: each reads, lets the domain decide, and writes in a stated order."""
