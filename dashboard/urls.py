"""The addresses of the panel."""

from django.urls import path

from dashboard import (
    exception_views,
    held_views,
    inbox_views,
    incident_views,
    mail_views,
    order_views,
    return_views,
    statement_views,
    views,
)
from orders import bulk_views

urlpatterns = [
    path("", views.home, name="home"),
    path("pedidos/", views.orders, name="orders"),
    path("pedidos/aceptar/", bulk_views.orders_accept, name="orders_accept"),
    path("incidencias/", incident_views.incidents, name="incidents"),
    path("devoluciones/", return_views.returns, name="returns"),
    path("pedidos/<str:reference>/devoluciones/<int:number>/", return_views.return_page, name="return"),
    path("pedidos/<str:reference>/", order_views.order_page, name="order"),
    path("pedidos/<str:reference>/cuentas/", statement_views.order_books, name="order_books"),
    path("novedades/", exception_views.exceptions_page, name="exceptions"),
    path("liquidaciones/", statement_views.statements, name="statements"),
    path("liquidaciones/retenido/", held_views.held, name="held_money"),
    path("liquidaciones/a-fecha/", held_views.as_of, name="as_of"),
    path("liquidaciones/<int:statement_id>/", statement_views.statement, name="statement"),
    path("liquidaciones/<int:statement_id>/prueba/", statement_views.statement_proof, name="statement_proof"),
    path("liquidaciones/<int:statement_id>.csv", statement_views.statement_file, name="statement_file"),
    path("mensajes/", inbox_views.inbox, name="inbox"),
    path("design/", views.design, name="design"),
    path("design/correos/", mail_views.mails, name="mails"),
    path("design/correos/<slug:name>/<str:language>/", mail_views.mails, name="mail_sample"),
    path("design/correos/<slug:name>/<str:language>/html/", mail_views.mail_html, name="mail_sample_html"),
]
