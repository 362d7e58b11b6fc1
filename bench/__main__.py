"""`make bench`: every measurement, one after the other."""

import sys

from bench import data_path, host, sweep

if __name__ == "__main__":
    sys.exit(host.main() or sweep.main([]) or data_path.main())
