from django.db import migrations

from marketplace.shopwall import of_the_same_shop


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_spine"), ("orders", "0002_walls")]
    operations = [
        of_the_same_shop("payments_charge", "order_id", "orders_order"),
        of_the_same_shop("payments_payback", "order_id", "orders_order"),
    ]
