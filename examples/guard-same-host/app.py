"""Notes on the server's own host, behind one proxy that sends `/api/v1/auth` to the server and the rest here: the
session cookie that browsers hold is enough. Start it with: uvicorn app:app --port 9004"""

import os
from typing import Annotated

from fastapi import Depends, FastAPI
from pydantic import BaseModel

from sekisho.guard import Principal, Verifier
from sekisho.guard.fastapi import FastAPIAuth
from sekisho.guard.same_host import CookieSessions

ORIGIN = os.environ["ISSUER"]  # SEKISHO_PUBLIC_URL of the server: pages, server and this API share it
verifier = Verifier(
    ORIGIN,
    ORIGIN,
    server_url=os.environ.get("SERVER_URL", ORIGIN),  # past the proxy, as http://127.0.0.1:8080
    feed_key=os.environ["GUARD_KEY"],  # sekisho guard-key add notes
)
auth = FastAPIAuth(verifier, sessions=CookieSessions(verifier, "web", ORIGIN))  # "web": the page's `clientId`
app = FastAPI(title="Notes")
auth.install(app)

User = Annotated[Principal, Depends(auth.current_user)]
notes: list[dict[str, str]] = []


class NewNote(BaseModel):
    text: str


@app.get("/me")
async def me(user: User) -> dict[str, str]:
    return {"sub": user.sub, "session": user.session_id}


@app.get("/notes")
async def list_notes(user: User) -> list[dict[str, str]]:
    return [note for note in notes if note["owner"] == user.sub]


@app.post("/notes", status_code=201)
async def add_note(new: NewNote, user: User) -> dict[str, bool]:
    """Changes something, so the cookie alone is not enough: the guard wants the page's origin and its CSRF value."""
    notes.append({"owner": user.sub, "text": new.text})
    return {"added": True}
