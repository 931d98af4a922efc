"""Notes behind the guard, with FastAPI. Start it with: uvicorn app:app --port 9001"""

import os
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel

from sekisho.guard import Principal, Verifier
from sekisho.guard.fastapi import FastAPIAuth

ISSUER = os.environ["ISSUER"]  # SEKISHO_PUBLIC_URL of the server
verifier = Verifier(
    ISSUER,
    os.environ.get("AUDIENCE", ISSUER),
    feed_key=os.environ["GUARD_KEY"],  # sekisho guard-key add notes
    permissions={"moderator": ["notes.delete"]},
)
auth = FastAPIAuth(verifier)
app = FastAPI(title="Notes")
auth.install(app)

User = Annotated[Principal, Depends(auth.current_user)]
notes: dict[int, dict[str, str]] = {}


class NewNote(BaseModel):
    text: str


@app.get("/me")
async def me(user: User) -> dict[str, str]:
    return {"sub": user.sub, "session": user.session_id}


@app.get("/notes")
async def list_notes(user: User) -> list[dict[str, str]]:
    return [note for note in notes.values() if note["owner"] == user.sub]


@app.post("/notes", status_code=201)
async def add_note(new: NewNote, user: User) -> dict[str, int]:
    number = len(notes) + 1
    notes[number] = {"owner": user.sub, "text": new.text}
    return {"id": number}


@app.delete("/notes/{number}")
async def delete_note(number: int, user: User) -> dict[str, bool]:
    """A rule about one object: its owner may, and who may delete any note."""
    note = notes.get(number)
    if note is None or (note["owner"] != user.sub and "notes.delete" not in user.permissions):
        raise HTTPException(404)  # who may not, does not learn that it is there
    del notes[number]
    return {"deleted": True}


@app.get("/payout", dependencies=[Depends(auth.require(max_age=300))])
async def payout() -> dict[str, str]:
    """Only for who has proved within five minutes who it is; others are asked to (RFC 9470)."""
    return {"account": "…"}
