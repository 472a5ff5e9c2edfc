from django.db import migrations

from marketplace.lists import CARRIERS, REASONS


def fill(apps, schema_editor):
    """Put the first lists in; what operators have entered already stays as it is."""
    reason, carrier = apps.get_model("marketplace", "Reason"), apps.get_model("marketplace", "Carrier")
    reason.objects.bulk_create(
        [reason(kind=kind, code=code, label_es=es, label_en=en) for kind, code, es, en in REASONS],
        ignore_conflicts=True,
    )
    carrier.objects.bulk_create(
        [
            carrier(code=code, name=name, tracking_url=address, tracking_pattern=pattern)
            for code, name, address, pattern in CARRIERS
        ],
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [("marketplace", "0002_policies_stay")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
