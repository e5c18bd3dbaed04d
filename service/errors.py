"""One base, one class per thing the caller can do. A docstring is the message's first words and the remedy."""


class PolyphonieError(Exception):
    """Base of every error that Polyphonie raises on purpose; its text is meant for a person."""

    exit_code = 1
    """Exit code of the command line."""

    status = 400
    """HTTP status of the service."""

    @property
    def code(self) -> str:
        """Stable name of the error: the class name."""
        return type(self).__name__


class BadInput(PolyphonieError):
    """The input can't be read as it stands. The text names file, row, column and remedy."""


class BadSetting(PolyphonieError):
    """A setting or option has a value that can't be used. The text names it and says what is accepted."""

    exit_code = 2


class MissingPackage(PolyphonieError):
    """An optional package is not installed. The text says how to install it."""

    exit_code = 2


class BadPrompt(PolyphonieError):
    """A prompt file is missing, edited after its release, or lacks a variable."""


class UnsoundDraft(PolyphonieError):
    """The final check found a citation, a span or a count that does not hold: a defect of Polyphonie.
    No draft is written; please report the text. Vectors and model replies are kept."""

    status = 500


class Stopped(PolyphonieError):
    """The run was stopped (budget, quota, interrupted); all finished work is kept and --resume goes on."""

    exit_code = 3
    status = 409


class ModelError(PolyphonieError):
    """A chat model did not give a usable reply. Never raised itself: see the three kinds below."""

    status = 502


class TryAgain(ModelError):
    """The call failed in a way that may pass (time-out, rate limit, server error): ask again, later."""


class SkipItem(ModelError):
    """The model will not answer this request (refused, too long, unusable twice): use the extractive text."""


class StopAll(ModelError, Stopped):
    """No further call can succeed (bad key, unknown model, quota used up): stop and keep what is done."""


class StoreUnavailable(PolyphonieError):
    """The database can't be reached or used. Check POLYPHONIE_DATABASE_URL and that it runs; nothing was changed."""

    status = 503


class BadEdit(PolyphonieError):
    """The change does not fit the draft as it is now. The text says what does not exist or is not allowed."""

    status = 422


class Outdated(PolyphonieError):
    """Somebody changed the same thing since it was read. Nothing was overwritten: read it again, then change it anew."""

    status = 412
