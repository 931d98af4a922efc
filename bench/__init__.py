"""The benchmark: our own load driver against real server processes. `python -m bench`, or `make bench`."""
