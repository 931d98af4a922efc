"""The routes of the Django app of `test_integrations`, for plain views, async views and Django REST framework."""

from __future__ import annotations

from typing import Any

from django.http import JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sekisho.guard.django import requires
from sekisho.guard.drf import IsSignedIn, has_permission, require

RULES: dict[str, dict[str, Any]] = {
    "me": {},
    "write": {"scopes": ["articles.write"]},
    "edit": {"roles": ["editor"]},
    "delete": {"permissions": ["articles.delete"]},
    "bank": {"max_age": 300, "acr": "aal2"},
}


def view(request: Any) -> JsonResponse:
    return JsonResponse({"sub": request.user.get_username() or None})


async def view_async(request: Any) -> JsonResponse:
    return JsonResponse({"sub": (await request.auser()).get_username() or None})


def drf_view(permission: type[BasePermission]) -> Any:
    class View(APIView):
        permission_classes = [permission]  # noqa: RUF012 - Django REST framework's own way

        def get(self, request: Request) -> Response:
            return Response({"sub": request.auth.sub if request.auth else None})

        post = get

    return View.as_view()


PERMISSIONS: dict[str, type[BasePermission]] = {
    "me": IsSignedIn,
    "write": require(scopes=["articles.write"]),
    "edit": require(roles=["editor"]),
    "delete": has_permission("articles.delete"),
    "bank": require(max_age=300, acr="aal2"),
}

urlpatterns = [
    path("open", view),
    path("async/open", view_async),
    path("drf/open", csrf_exempt(drf_view(AllowAny))),
    *(path(name, requires(**rule)(view)) for name, rule in RULES.items()),
    *(path(f"async/{name}", requires(**rule)(view_async)) for name, rule in RULES.items()),
    *(path(f"drf/{name}", drf_view(permission)) for name, permission in PERMISSIONS.items()),
]
