"""These tests need programs that only `make test-devices-independent` installs; the ordinary run leaves them out."""

import os

if not os.environ.get("DEVICES_INDEPENDENT"):
    collect_ignore_glob = ["test_*.py"]
