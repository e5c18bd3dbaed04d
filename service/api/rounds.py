"""Rounds: uploaded, listed, read, deleted with everything that was made from them."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from service.api import uploads
from service.api.callers import Caller, Drafter, Reader, noted_read
from service.api.context import Context, Service
from service.api.once import Key, once
from service.api.openapi import BODY_OF_BATCH, BODY_OF_ROUND, problems
from service.api.shapes import AnswerOut, AnswerPage, BatchItem, BatchOut, Cursor, Limit, RoundOut, RoundPage
from service.errors import NotFound
from service.store import answers, audit, drafts, rounds
from service.store.rounds import StoredRound
