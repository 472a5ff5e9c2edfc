"""What a statement has besides orders is told apart: refunds, cover, adjustments, returned payouts."""


import django.db.models.expressions
from django.db import migrations, models


SPLIT = """
UPDATE settlements_statementline line
   SET section = CASE entry.kind WHEN 'cover' THEN 'cover' WHEN 'adjustment' THEN 'adjustment'
                                 WHEN 'payout_failed' THEN 'returned' ELSE 'refund' END
  FROM ledger_entry entry
 WHERE entry.id = line.entry_id AND entry.kind <> 'receive';
UPDATE settlements_statementline line
   SET commission_cents = told.fee, commission_vat_cents = told.vat, other_cents = line.other_cents + told.fee + told.vat
  FROM (SELECT entry_id, coalesce(sum(amount_cents) FILTER (WHERE kind = 'COMMISSION_FEE'), 0) AS fee,
               coalesce(sum(amount_cents) FILTER (WHERE kind = 'COMMISSION_VAT'), 0) AS vat
          FROM ledger_posting WHERE account = 'payable' GROUP BY 1) told
 WHERE told.entry_id = line.entry_id AND line.section = 'refund';
UPDATE settlements_statement statement
   SET refunds_cents = told.refunds, commission_back_cents = told.fee, commission_vat_back_cents = told.vat,
       cover_cents = told.cover, adjustments_cents = told.adjustments, returned_cents = told.returned
  FROM (SELECT statement_id,
               coalesce(sum(other_cents) FILTER (WHERE section = 'refund'), 0) AS refunds,
               coalesce(-sum(commission_cents) FILTER (WHERE section = 'refund'), 0) AS fee,
               coalesce(-sum(commission_vat_cents) FILTER (WHERE section = 'refund'), 0) AS vat,
               coalesce(sum(other_cents) FILTER (WHERE section = 'cover'), 0) AS cover,
               coalesce(sum(other_cents) FILTER (WHERE section = 'adjustment'), 0) AS adjustments,
               coalesce(sum(other_cents) FILTER (WHERE section = 'returned'), 0) AS returned
          FROM settlements_statementline GROUP BY 1) told
 WHERE told.statement_id = statement.id AND statement.state = 'closed';
UPDATE settlements_statement SET carried_why = CASE WHEN carried_cents < 0 THEN 'negative' ELSE 'minimum' END
 WHERE carried_cents <> 0;
SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED;
"""

JOIN = """
UPDATE settlements_statement
   SET other_cents = refunds_cents + commission_back_cents + commission_vat_back_cents + cover_cents
                   + adjustments_cents + returned_cents;
UPDATE settlements_statementline
   SET other_cents = other_cents - commission_cents - commission_vat_cents, commission_cents = 0, commission_vat_cents = 0
 WHERE section = 'refund';
SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('ledger', '0004_refunds'),
        ('marketplace', '0006_refund_reasons'),
        ('sellers', '0003_shop_holidays'),
        ('settlements', '0003_resting_balances'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='statement',
            name='statement_adds_up',
        ),
        migrations.RemoveConstraint(
            model_name='statementline',
            name='order_settled_once',
        ),
        migrations.AddField(
            model_name='statement',
            name='adjustments_cents',
            field=models.BigIntegerField(default=0, verbose_name='ajustes'),
        ),
        migrations.AddField(
            model_name='statement',
            name='carried_why',
            field=models.CharField(blank=True, choices=[('', '–'), ('negative', 'el saldo es negativo'), ('minimum', 'no llega al mínimo de una transferencia'), ('details', 'faltan los datos bancarios')], default='', max_length=10, verbose_name='por qué pasa'),
        ),
        migrations.AddField(
            model_name='statement',
            name='commission_back_cents',
            field=models.BigIntegerField(default=0, verbose_name='comisión devuelta'),
        ),
        migrations.AddField(
            model_name='statement',
            name='commission_vat_back_cents',
            field=models.BigIntegerField(default=0, verbose_name='IVA devuelto de la comisión'),
        ),
        migrations.AddField(
            model_name='statement',
            name='cover_cents',
            field=models.BigIntegerField(default=0, verbose_name='cubierto por el operador'),
        ),
        migrations.AddField(
            model_name='statement',
            name='refunds_cents',
            field=models.BigIntegerField(default=0, verbose_name='reembolsos'),
        ),
        migrations.AddField(
            model_name='statement',
            name='returned_cents',
            field=models.BigIntegerField(default=0, verbose_name='transferencias devueltas'),
        ),
        migrations.AddField(
            model_name='statementline',
            name='section',
            field=models.CharField(choices=[('orders', 'Pedidos'), ('refund', 'Reembolsos'), ('cover', 'Cubierto por el operador'), ('adjustment', 'Ajustes'), ('returned', 'Transferencias devueltas')], default='orders', max_length=10, verbose_name='apartado'),
        ),
        migrations.RunSQL(SPLIT, JOIN),
        migrations.AddConstraint(
            model_name='statement',
            constraint=models.CheckConstraint(condition=models.Q(('payout_cents', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('opening_cents'), '+', models.F('orders_cents')), '-', models.F('commission_cents')), '-', models.F('commission_vat_cents')), '+', models.F('refunds_cents')), '+', models.F('commission_back_cents')), '+', models.F('commission_vat_back_cents')), '+', models.F('cover_cents')), '+', models.F('adjustments_cents')), '+', models.F('returned_cents')), '-', models.F('carried_cents')))), name='statement_adds_up'),
        ),
        migrations.AddConstraint(
            model_name='statementline',
            constraint=models.UniqueConstraint(condition=models.Q(('section', 'orders')), fields=('order_id',), name='order_settled_once'),
        ),
        migrations.AddConstraint(
            model_name='statementline',
            constraint=models.CheckConstraint(condition=models.Q(('section__in', ['orders', 'refund', 'cover', 'adjustment', 'returned'])), name='statement_section_known'),
        ),
        migrations.RemoveField(
            model_name='statement',
            name='other_cents',
        ),
    ]
