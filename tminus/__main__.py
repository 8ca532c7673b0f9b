"""The command: `tminus`, and `python -m tminus`."""

from local.cli.start import main

if __name__ == "__main__":
    main()
