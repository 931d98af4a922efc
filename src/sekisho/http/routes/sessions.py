"""The routes of sessions: what keeps one going, which ones there are, and what ends them."""

from __future__ import annotations

from sekisho import errors
from sekisho.http import csrf, logout, refresh, session_list, session_wire, wire
from sekisho.http.routes.route import ANY_CREDENTIAL, API, SESSION, TOKEN_OR_COOKIE, Route

SESSIONS: tuple[Route, ...] = (
    Route(
        method="POST",
        path=f"{API}/auth/refresh",
        endpoint=refresh.refresh_endpoint,
        summary="Trade a refresh token for a new pair",
        callers=TOKEN_OR_COOKIE,
        body=wire.RefreshBody,
        body_optional=True,
        answer=wire.PairView,
        refusals=(errors.RefreshTokenInvalid, errors.ClientIdMismatch, errors.SessionChanged, errors.CsrfFailed),
    ),
    Route(
        method="GET",
        path=f"{API}/auth/session",
        endpoint=session_list.current_session_endpoint,
        summary="The account and the session of this call",
        callers=SESSION,
        answer=session_wire.CurrentSessionView,
    ),
    Route(
        method="POST",
        path=f"{API}/auth/logout",
        endpoint=logout.logout_endpoint,
        summary="End this session; repeating it is no error",
        callers=ANY_CREDENTIAL,
        body=wire.LogoutBody,
        body_optional=True,
        answer=wire.MessageView,
        refusals=(errors.Unauthorized, errors.AccessTokenExpired, errors.SessionChanged, errors.CsrfFailed),
    ),
    Route(
        method="GET",
        path=f"{API}/auth/csrf",
        endpoint=csrf.csrf_endpoint,
        summary="The CSRF value; also sets its cookie",
        answer=wire.CsrfView,
    ),
    Route(
        method="GET",
        path=f"{API}/auth/sessions",
        endpoint=session_list.list_sessions_endpoint,
        summary="The account's live sessions",
        callers=SESSION,
        answer=session_wire.SessionListView,
    ),
    *(
        Route(
            method="POST",
            path=path,
            endpoint=logout.logout_all_endpoint,
            summary="End every session of the account, or every other one",
            callers=SESSION,
            body=wire.LogoutAllBody,
            body_optional=True,
            answer=wire.EndedView,
            refusals=(errors.CsrfFailed,),
        )
        for path in (f"{API}/auth/sessions/logout-all", f"{API}/auth/logout-all")
    ),
    Route(
        method="DELETE",
        path=f"{API}/auth/sessions/{{id}}",
        endpoint=session_list.end_session_endpoint,
        summary="End one session of the account",
        callers=SESSION,
        answer=wire.MessageView,
        refusals=(errors.NotFound, errors.CsrfFailed),
    ),
)
