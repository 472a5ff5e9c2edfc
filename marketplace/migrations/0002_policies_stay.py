from django.db import migrations

from marketplace.shopwall import only_added_to


class Migration(migrations.Migration):
    dependencies = [("marketplace", "0001_spine")]
    operations = [only_added_to("marketplace_policy")]
