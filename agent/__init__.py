"""Hort's agent: encrypts on the device, so that the service never sees a byte of what it keeps."""

VERSION = "0.1.0"
