"""`polyphonie …` and `python -m service …`."""

import sys

from service.errors import PolyphonieError, Stopped

INTERRUPTED = 130
"""With what the command-line library answers Ctrl-C."""


def main() -> None:
    """Run the command line; an error made for people is printed without a traceback, with its exit code."""
    from service.cli import app  # after the error classes: `--help` pays for typer alone

    try:
        app()
    except PolyphonieError as error:
        print(f"polyphonie: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except MemoryError as error:  # told before a grouping that would not fit is begun
        print(f"polyphonie: not enough memory: {error}", file=sys.stderr)
        sys.exit(PolyphonieError.exit_code)
    except SystemExit as stop:
        if stop.code != INTERRUPTED:
            raise
        print("polyphonie: interrupted; what was finished is kept, --resume goes on.", file=sys.stderr)
        sys.exit(Stopped.exit_code)


if __name__ == "__main__":
    main()
