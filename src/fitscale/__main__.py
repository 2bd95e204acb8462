"""``python -m fitscale``: the command line."""

import os
import sys

if __name__ == "__main__":
    if not sys.flags.safe_path and sys.path[0] == os.getcwd():
        del sys.path[0]  # `-m` put the current folder first: a random.py there would shadow the library
    from fitscale.cli.main import main

    main()
