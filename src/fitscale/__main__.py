"""``python -m fitscale``."""

from fitscale.cli.main import main

if __name__ == "__main__":
    main()
