"""A FastAPI app with one route twice: behind the guard, and not."""

from __future__ import annotations

import os
from typing import Annotated

from fastapi import Depends, FastAPI

from sekisho.guard import Principal, Verifier
from sekisho.guard.fastapi import FastAPIAuth

_issuer = os.environ["ISSUER"]
_auth = FastAPIAuth(Verifier(_issuer, _issuer, server_url=os.environ["SERVER_URL"], feed_key=os.environ["GUARD_KEY"]))
app = FastAPI()
_auth.install(app)


@app.get("/bare")
async def bare() -> dict[str, str]:
    return {"said": "ok"}


@app.get("/guarded")
async def guarded(user: Annotated[Principal, Depends(_auth.current_user)]) -> dict[str, str]:
    return {"said": "ok", "sub": user.sub}
