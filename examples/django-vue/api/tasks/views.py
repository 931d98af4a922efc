"""The API of the tasks. Each query starts from `mine`: nobody reaches another's task, whatever number they guess."""

import json

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_http_methods
from sekisho_session import signed_in

from tasks.models import Task


class TaskForm(forms.ModelForm):
    class Meta:
        model = Task
        fields = ("text",)


class DoneForm(forms.ModelForm):
    class Meta:
        model = Task
        fields = ("is_done",)


def mine(request: HttpRequest) -> QuerySet[Task]:
    return Task.objects.filter(owner=request.account)


def read(request: HttpRequest) -> dict:
    """Return the JSON object of the body; anything else is as good as an empty one, which the forms refuse."""
    try:
        body = json.loads(request.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def saved(form: forms.ModelForm, status: int) -> HttpResponse:
    if not form.is_valid():
        return JsonResponse({"error": "validation_error", "details": form.errors}, status=400)
    return JsonResponse(form.save().as_json(), status=status)


@require_http_methods(["GET", "POST"])
@signed_in
def all_tasks(request: HttpRequest) -> HttpResponse:
    if request.method == "GET":
        return JsonResponse([task.as_json() for task in mine(request)[:200]], safe=False)
    return saved(TaskForm(read(request), instance=Task(owner=request.account)), 201)


@require_http_methods(["PATCH", "DELETE"])
@signed_in
def one_task(request: HttpRequest, number: int) -> HttpResponse:
    task = mine(request).filter(pk=number).first()
    if task is None:
        # Also for somebody else's: what exists is nobody's business.
        return JsonResponse({"error": "not_found"}, status=404)
    if request.method == "DELETE":
        task.delete()
        return HttpResponse(status=204)
    return saved(DoneForm(read(request), instance=task), 200)
