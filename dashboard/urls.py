"""The addresses of the panel."""

from django.urls import path

from dashboard import exception_views, inbox_views, incident_views, mail_views, order_views, views
from orders import bulk_views

urlpatterns = [
    path("", views.home, name="home"),
    path("pedidos/", views.orders, name="orders"),
    path("pedidos/aceptar/", bulk_views.orders_accept, name="orders_accept"),
    path("incidencias/", incident_views.incidents, name="incidents"),
    path("pedidos/<str:reference>/", order_views.order_page, name="order"),
    path("novedades/", exception_views.exceptions_page, name="exceptions"),
    path("mensajes/", inbox_views.inbox, name="inbox"),
    path("design/", views.design, name="design"),
    path("design/correos/", mail_views.mails, name="mails"),
    path("design/correos/<slug:name>/<str:language>/", mail_views.mails, name="mail_sample"),
    path("design/correos/<slug:name>/<str:language>/html/", mail_views.mail_html, name="mail_sample_html"),
]
