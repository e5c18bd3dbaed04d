"""The prompt library: one file per prompt, version and language. A leaf: text only, it never imports the service."""

from prompts.fence import fence, fence_named
from prompts.library import Prompt, is_live, listing, load, on_trial, read, report, verify

__all__ = [
    "Prompt",
    "fence",
    "fence_named",
    "is_live",
    "listing",
    "load",
    "on_trial",
    "read",
    "report",
    "verify",
]
