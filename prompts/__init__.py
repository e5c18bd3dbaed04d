"""The prompt library: one file per prompt, version and language. A leaf: text only, it never imports the service."""

from prompts.fence import fence
from prompts.library import Prompt, listing, load, verify

__all__ = ["Prompt", "fence", "listing", "load", "verify"]
