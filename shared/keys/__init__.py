"""The account's key at the provider: it wraps what the customer has sealed already."""
