from django.db import models


class Task(models.Model):
    # The account's id at Sekisho. An address may change, an id never does.
    owner = models.CharField(max_length=64)
    text = models.CharField(max_length=200)
    is_done = models.BooleanField(default=False)

    class Meta:
        ordering = ("is_done", "-id")
        indexes = (models.Index(fields=("owner", "is_done", "-id"), name="task_owner"),)

    def as_json(self) -> dict:
        return {"id": self.pk, "text": self.text, "is_done": self.is_done}
