"""Notes behind the guard, with Django and Django REST framework, in one file. Start it with:
python app.py runserver 9002 --noreload"""

import os
import sys

from django.conf import settings
from django.core.management import execute_from_command_line
from django.core.wsgi import get_wsgi_application

ISSUER = os.environ["ISSUER"]  # SEKISHO_PUBLIC_URL of the server

settings.configure(
    ALLOWED_HOSTS=["localhost", "127.0.0.1"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"],
    MIDDLEWARE=["sekisho.guard.django.GuardMiddleware", "django.middleware.csrf.CsrfViewMiddleware"],
    REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": ["sekisho.guard.drf.GuardAuthentication"]},
    SEKISHO_GUARD={
        "ISSUER": ISSUER,
        "AUDIENCE": os.environ.get("AUDIENCE", ISSUER),
        "FEED_KEY": os.environ["GUARD_KEY"],  # sekisho guard-key add notes
        "PERMISSIONS": {"moderator": ["notes.delete"]},
    },
)
application = get_wsgi_application()

from django.http import Http404, JsonResponse  # noqa: E402 - Django's parts need its settings
from django.urls import path  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

from sekisho.guard.django import login_required, requires  # noqa: E402
from sekisho.guard.drf import IsSignedIn  # noqa: E402

notes = {}


@login_required
def me(request):
    return JsonResponse({"sub": request.user.pk, "session": request.user.principal.session_id})


@requires(max_age=300)
def payout(request):
    """Only for who has proved within five minutes who it is; others are asked to (RFC 9470)."""
    return JsonResponse({"account": "…"})


class Notes(APIView):
    permission_classes = (IsSignedIn,)

    def get(self, request):
        return Response([note for note in notes.values() if note["owner"] == request.auth.sub])

    def post(self, request):
        number = len(notes) + 1
        notes[number] = {"owner": request.auth.sub, "text": str(request.data["text"])}
        return Response({"id": number}, status=201)


class Note(APIView):
    permission_classes = (IsSignedIn,)

    def delete(self, request, number):
        """A rule about one object: its owner may, and who may delete any note."""
        note = notes.get(number)
        if note is None or (note["owner"] != request.auth.sub and not request.user.has_perm("notes.delete")):
            raise Http404  # who may not, does not learn that it is there
        del notes[number]
        return Response({"deleted": True})


urlpatterns = [
    path("me", me),
    path("payout", payout),
    path("notes", Notes.as_view()),
    path("notes/<int:number>", Note.as_view()),
]

if __name__ == "__main__":
    # This file is the settings too, under whichever name it was started.
    sys.modules["app"] = sys.modules[__name__]
    execute_from_command_line(sys.argv)
