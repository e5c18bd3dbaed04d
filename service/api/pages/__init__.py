"""The review page: server-rendered, a little JavaScript, nothing from elsewhere. What analysts live in."""

from fastapi import FastAPI

from service.api.pages import changes, entry, review, workbook
from service.api.pages.desk import Desk, ToolsFor
from service.settings import Settings

__all__ = ["add_pages"]


def add_pages(app: FastAPI, settings: Settings, tools_for: ToolsFor) -> None:
    """Put the pages under `/`. tools_for: gives the encoder that searches by meaning, and the model that drafts again."""
    app.state.desk = Desk(settings, tools_for)
    app.state.context.reviews.on_forget.append(app.state.desk.forget)
    for router in (entry.router, review.router, changes.router, workbook.router, entry.rest):
        app.router.routes.extend(router.routes)
