"""The entry point of the `tminus` command, before its modules are loaded."""

from local.cli import interrupt


def main() -> None:
    """Load and run the command; Ctrl-C ends it within a second, with one line and status 130."""
    interrupt.leave_at_once()
    from local.cli.main import main as run  # noqa: PLC0415 - it loads for a second

    interrupt.leave_soon()
    try:
        run()
    except SystemExit as error:
        interrupt.leave(error)
    except BaseException:
        if not interrupt.seen():
            raise
        interrupt.end()
