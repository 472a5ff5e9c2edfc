from django.db import migrations, models

from marketplace.lists import REFUND_REASONS


def fill(apps, schema_editor):
    """Put the first list in; what operators have entered already stays as it is."""
    reason = apps.get_model("marketplace", "Reason")
    reason.objects.bulk_create(
        [reason(kind=kind, code=code, label_es=es, label_en=en) for kind, code, es, en in REFUND_REASONS],
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [("marketplace", "0005_peoples_reasons")]
    operations = [
        migrations.AlterField(
            "reason",
            "kind",
            models.CharField(
                choices=[
                    ("refuse", "rechazo"),
                    ("cancel", "cancelación"),
                    ("hold", "retención"),
                    ("contact", "motivo de contacto"),
                    ("incident", "incidencia"),
                    ("solved", "incidencia resuelta"),
                    ("exception", "entrega fallida"),
                    ("return", "devolución"),
                    ("refund", "reembolso"),
                ],
                max_length=20,
                verbose_name="acto",
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
