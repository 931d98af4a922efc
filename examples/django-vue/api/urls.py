import development
from django.conf import settings
from django.urls import path
from tasks import views

urlpatterns = [
    path("api/tasks", views.all_tasks),
    path("api/tasks/<int:number>", views.one_task),
]

# In production nginx sends /api/v1/ to the server and serves the page; see the README.
if settings.DEBUG:
    urlpatterns += [path("api/v1/<path:_>", development.to_server), path("", development.page)]
