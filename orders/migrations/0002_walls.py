from django.db import migrations

from marketplace.shopwall import of_the_same_shop, only_added_to


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_spine")]
    operations = [
        of_the_same_shop("orders_line", "order_id", "orders_order"),
        of_the_same_shop("orders_shipment", "order_id", "orders_order"),
        of_the_same_shop("orders_shipmentline", "shipment_id", "orders_shipment"),
        of_the_same_shop("orders_shipmentline", "line_id", "orders_line"),
        of_the_same_shop("orders_hold", "order_id", "orders_order"),
        of_the_same_shop("orders_event", "order_id", "orders_order"),
        of_the_same_shop("orders_download", "order_id", "orders_order"),
        only_added_to("orders_event"),
        only_added_to("orders_download"),
    ]
