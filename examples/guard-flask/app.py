"""Notes behind the guard, with Flask. Start it with: flask --app app run --port 9003"""

import os

from flask import Flask, abort, request

from sekisho.guard import Verifier
from sekisho.guard.flask import FlaskAuth, current_principal

ISSUER = os.environ["ISSUER"]  # SEKISHO_PUBLIC_URL of the server
verifier = Verifier(
    ISSUER,
    os.environ.get("AUDIENCE", ISSUER),
    feed_key=os.environ["GUARD_KEY"],  # sekisho guard-key add notes
    permissions={"moderator": ["notes.delete"]},
)
auth = FlaskAuth(verifier)
app = Flask(__name__)
notes = {}


@app.get("/me")
@auth.required()
def me():
    return {"sub": current_principal.sub, "session": current_principal.session_id}


@app.get("/notes")
@auth.required()
def list_notes():
    return [note for note in notes.values() if note["owner"] == current_principal.sub]


@app.post("/notes")
@auth.required()
def add_note():
    number = len(notes) + 1
    notes[number] = {"owner": current_principal.sub, "text": str(request.get_json()["text"])}
    return {"id": number}, 201


@app.delete("/notes/<int:number>")
@auth.required()
def delete_note(number):
    """A rule about one object: its owner may, and who may delete any note."""
    note = notes.get(number)
    may_delete_any = "notes.delete" in current_principal.permissions
    if note is None or (note["owner"] != current_principal.sub and not may_delete_any):
        abort(404)  # who may not, does not learn that it is there
    del notes[number]
    return {"deleted": True}


@app.get("/payout")
@auth.required(max_age=300)
def payout():
    """Only for who has proved within five minutes who it is; others are asked to (RFC 9470)."""
    return {"account": "…"}
