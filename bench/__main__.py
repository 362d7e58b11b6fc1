"""`make bench`: every measurement, one after the other."""

import sys

from bench import data_path, host

if __name__ == "__main__":
    sys.exit(host.main() or data_path.main())
