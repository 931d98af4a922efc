from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = ()
    operations = (
        migrations.CreateModel(
            name="Task",
            fields=(
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("owner", models.CharField(max_length=64)),
                ("text", models.CharField(max_length=200)),
                ("is_done", models.BooleanField(default=False)),
            ),
            options={
                "ordering": ("is_done", "-id"),
                "indexes": [models.Index(fields=["owner", "is_done", "-id"], name="task_owner")],
            },
        ),
    )
