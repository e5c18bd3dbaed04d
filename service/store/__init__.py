"""What the service keeps: one file per noun, each with functions over a connection that `Store` gives; SQL is nowhere else."""

from service.store.database import Store

__all__ = ["Store"]
