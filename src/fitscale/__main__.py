"""``python -m fitscale``: the command line."""

from fitscale.cli.main import main

if __name__ == "__main__":
    main()
