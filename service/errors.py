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

    status = 422


class BadSetting(PolyphonieError):
    """A setting or option has a value that can't be used. The text names it and says what is accepted."""

    exit_code = 2


class MissingPackage(PolyphonieError):
    """An optional package is not installed. The text says how to install it."""

    exit_code = 2
    status = 501


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


class LetGo(StopAll):
    """The run was stopped, by something that another part of it says: this part was only told to end."""


class NoKey(PolyphonieError):
    """No key, or one that is not in force. Send it as `Authorization: Bearer KEY`."""

    status = 401


class MissingScope(PolyphonieError):
    """The key may not do this. `polyphonie keys create NAME --scopes …` makes one that may."""

    status = 403


class NotFound(PolyphonieError):
    """There is nothing here that this key may see. Look at the list for what there is."""

    status = 404


class MethodNotAllowed(PolyphonieError):
    """The address exists, but not for this method. The header Allow names those that it has."""

    status = 405


class Conflict(PolyphonieError):
    """The request does not fit the state that things are in. Read that state, then decide."""

    status = 409


class TooLarge(PolyphonieError):
    """More bytes than this service takes. Split the round, or raise POLYPHONIE_UPLOAD_LIMIT."""

    status = 413


class UnsupportedMedia(PolyphonieError):
    """A body of this type is not read here. Send JSON, or a file as multipart/form-data."""

    status = 415


class InvalidRequest(PolyphonieError):
    """The request can't be read: `problems` names each field and what is wrong with it."""

    status = 422


class PreconditionMissing(PolyphonieError):
    """A change needs the header If-Match with the ETag of what was read, so that nobody's work is overwritten."""

    status = 428


class TooManyRequests(PolyphonieError):
    """This key asks too fast. Wait for as many seconds as Retry-After says."""

    status = 429


class Defect(PolyphonieError):
    """Something went wrong that nobody foresaw. Nothing was half done; please report what was asked and when."""

    status = 500


class StoreUnavailable(PolyphonieError):
    """The database can't be reached or used. Check POLYPHONIE_DATABASE_URL and that it runs; nothing was changed."""

    status = 503


class NotReady(PolyphonieError):
    """Something that drafts need is missing: `problems` says what, and what to do."""

    status = 503


class BadEdit(PolyphonieError):
    """The change does not fit the draft as it is now. The text says what does not exist or is not allowed."""

    status = 422

    def __init__(self, text: str = "", *, why: str, **said: str | int) -> None:
        """why: its name on the pages, which tell it in the reader's language; said: what those words name."""
        super().__init__(text)
        self.why = why
        self.said = said


class NotInDraft(BadEdit):
    """The change names something that this draft does not have (any more). Read the draft again for what it has."""

    status = 404


class Outdated(PolyphonieError):
    """Somebody changed the same thing since it was read. Nothing was overwritten: read it again, then change it anew."""

    status = 412
