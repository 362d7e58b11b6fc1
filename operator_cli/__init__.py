"""The provider's own tool, for whoever holds the service's settings."""
