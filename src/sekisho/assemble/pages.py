"""The hosted pages, as the settings want them."""

from __future__ import annotations

from sekisho.assemble.parts import Parts
from sekisho.http.edge import Pages
from sekisho.ui.pages import HostedPages


def make_pages(have: Parts) -> Pages | None:
    """Return the pages of this server; None where it has none at all."""
    settings = have.settings
    is_dev = settings.mode == "dev"
    has_docs = is_dev if settings.pages.docs == "auto" else settings.pages.docs == "on"
    if not (settings.pages.enabled or has_docs or is_dev):
        return None
    return HostedPages(
        product_name=settings.product_name,
        min_length=have.policy.min_length,
        for_people=settings.pages.enabled,
        has_docs=has_docs,
        is_dev=is_dev,
    )
