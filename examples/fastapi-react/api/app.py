"""The API of the notes, and the built page."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import notes
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi import Path as InPath
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, StringConstraints

from sekisho.guard import Principal, Verifier
from sekisho.guard.fastapi import FastAPIAuth

SERVER = os.environ.get("AUTH_URL", "http://localhost:8080")

# Tokens are verified in this process. With the key of `sekisho guard-key add` it hears what ends, within a second.
auth = FastAPIAuth(Verifier(issuer=SERVER, audience=SERVER, feed_key=os.environ.get("GUARD_KEY")))
SignedIn = Annotated[Principal, Depends(auth.current_user)]

PAGE = Path(__file__).parents[1] / "web" / "dist"
POLICY = f"default-src 'self'; connect-src 'self' {SERVER}; frame-ancestors 'none'; base-uri 'none'"


@asynccontextmanager
async def life(_: FastAPI) -> AsyncIterator[None]:
    notes.prepare()
    yield


app = FastAPI(title="Notes", lifespan=life, docs_url=None, redoc_url=None)
auth.install(app)


class NewNote(BaseModel):
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


@app.get("/api/notes")
def list_notes(who: SignedIn) -> list[dict]:
    return notes.of(who.sub)


@app.post("/api/notes", status_code=201)
def add_note(who: SignedIn, note: NewNote) -> dict:
    return notes.add(who.sub, note.text)


@app.delete("/api/notes/{number}", status_code=204)
def delete_note(who: SignedIn, number: Annotated[int, InPath(ge=1, lt=2**63)]) -> None:
    # One answer for a note that is not there and for somebody else's: what exists is nobody's business.
    if not notes.delete(who.sub, number):
        raise HTTPException(404, "There is no such note.")


@app.middleware("http")
async def headers(request: Request, call_next) -> Response:
    response = await call_next(request)
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    if request.url.path.startswith("/api/"):
        response.headers["Cache-Control"] = "no-store"
    return response


app.mount("/", StaticFiles(directory=PAGE, html=True))
