from django.db import migrations

from marketplace.shopwall import of_the_same_shop


class Migration(migrations.Migration):
    dependencies = [("settlements", "0001_spine"), ("orders", "0002_walls"), ("ledger", "0002_double_entry")]
    operations = [
        of_the_same_shop("settlements_statementline", "statement_id", "settlements_statement"),
        of_the_same_shop("settlements_statementline", "order_id", "orders_order"),
        of_the_same_shop("settlements_statementline", "entry_id", "ledger_entry"),
        of_the_same_shop("settlements_payout", "statement_id", "settlements_statement"),
    ]
