"""The addresses of a shop's money."""

from django.urls import path, re_path

from settlements import views

urlpatterns = [
    path("tienda/cobro/", views.payee, name="payee"),
    re_path(
        r"^dinero/liquidaciones/(?P<statement_id>[0-9]{1,18})/liquidacion\.(?P<kind>pdf|csv)$",
        views.statement_paper,
        name="statement_paper",
    ),
    re_path(
        r"^dinero/facturas/(?P<invoice_id>[0-9]{1,18})/factura\.pdf$",
        views.invoice_paper,
        name="invoice_paper",
    ),
]
