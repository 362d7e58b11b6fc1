"""`make bench`: every measurement, one after the other."""

import sys

from bench import host

if __name__ == "__main__":
    sys.exit(host.main())
