"""The I/O of the workflows; each may run twice and does its work once."""
