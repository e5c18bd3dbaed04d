"""`polyphonie …` and `python -m service …`."""

import signal
import sys
from types import FrameType

from service.errors import PolyphonieError, Stopped

INTERRUPTED = 130
"""With what the command-line library answers Ctrl-C."""


class Interrupt(KeyboardInterrupt):
    """Ctrl-C. Python 3.11 kills itself in the end, whatever exit code was asked for, if a plain KeyboardInterrupt
    fell into an `exec` (every dataclass that an import makes is one), also when it was caught; not so of this one."""


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise Interrupt


def main() -> None:
    """Run the command line; an error made for people is printed without a traceback, with its exit code."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # and not ignored, as in the background
        signal.signal(signal.SIGINT, _interrupt)
    from service.cli import app  # after the error classes: `--help` pays for typer alone

    try:
        app()
    except PolyphonieError as error:
        print(f"polyphonie: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except MemoryError as error:  # told before a grouping that would not fit is begun
        print(f"polyphonie: not enough memory: {error}", file=sys.stderr)
        sys.exit(PolyphonieError.exit_code)
    except OSError as error:  # a full disk, a device that is gone
        where = f"{error.filename}: " if error.filename else ""
        print(f"polyphonie: {where}{error.strerror or error}", file=sys.stderr)
        sys.exit(PolyphonieError.exit_code)
    except SystemExit as stop:
        if stop.code != INTERRUPTED:
            raise
        print("polyphonie: interrupted; what was finished is kept, --resume goes on.", file=sys.stderr)
        sys.exit(Stopped.exit_code)


if __name__ == "__main__":
    main()
