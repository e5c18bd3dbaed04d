"""Durable jobs: drafts and evaluations that survive the process which makes them, shared between any number of workers.

The store holds what is true: a draft's state, its result, each model call with its reply. DBOS's tables hold only tickets: which
worker has which job. Losing them loses nothing, because every ticket can be written again from the store (`keeper`).
"""
