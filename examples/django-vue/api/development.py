"""What nginx does in production: hand /api/v1/ to the server, so that all is on one origin, and serve the page."""

from urllib.error import HTTPError
from urllib.request import Request, urlopen

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

# They are about one connection, or are made anew for the next one.
OF_A_CONNECTION = {"connection", "content-length", "date", "host", "keep-alive", "server", "transfer-encoding"}
LEFT_OUT = OF_A_CONNECTION | {"accept-encoding", "set-cookie"}
POLICY = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'"


def to_server(request: HttpRequest, _: str) -> HttpResponse:
    headers = {name: value for name, value in request.headers.items() if value and name.lower() not in LEFT_OUT}
    wanted = Request(
        settings.SEKISHO_URL + request.get_full_path(),
        data=request.body or None,
        method=request.method,
        headers=headers,
    )
    try:
        answer = urlopen(wanted, timeout=30)
    except HTTPError as refusal:
        answer = refusal
    except OSError as away:
        message = f"No answer from {settings.SEKISHO_URL}: is `make serve` running? ({away})"
        return JsonResponse({"error": "unavailable", "message": message}, status=503)
    with answer:
        response = HttpResponse(answer.read(), status=answer.status)
    for name, value in answer.headers.items():
        if name.lower() == "set-cookie":
            response.cookies.load(value)
        elif name.lower() not in LEFT_OUT:
            response.headers[name] = value
    return response


def page(_: HttpRequest) -> HttpResponse:
    return HttpResponse((settings.PAGE / "index.html").read_bytes(), headers={"Content-Security-Policy": POLICY})
