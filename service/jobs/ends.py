"""How a draft ends before its time. They pass through the pipeline as any stop does."""

from service.errors import PolyphonieError, Stopped


class Cancelled(Stopped):
    """The draft was cancelled, or deleted with its round."""


class LaidDown(Stopped):
    """This worker ends; another one, or this one after its restart, goes on."""


class Broken(PolyphonieError):
    """The work ended on an error that nobody foresaw; its class alone is told, for its text may quote what people wrote."""

    status = 500


class Poisoned(PolyphonieError):
    """The job was begun several times and each time ended its worker, or failed, without finishing a further model call."""

    status = 500
