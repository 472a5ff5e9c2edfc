"""The addresses of the panel."""

from django.urls import path

from dashboard import inbox_views, mail_views, order_views, views
from orders import bulk_views

urlpatterns = [
    path("", views.home, name="home"),
    path("pedidos/", views.orders, name="orders"),
    path("pedidos/aceptar/", bulk_views.orders_accept, name="orders_accept"),
    path("pedidos/<str:reference>/", order_views.order_page, name="order"),
    path("mensajes/", inbox_views.inbox, name="inbox"),
    path("design/", views.design, name="design"),
    path("design/correos/", mail_views.mails, name="mails"),
    path("design/correos/<slug:name>/<str:language>/", mail_views.mails, name="mail_sample"),
    path("design/correos/<slug:name>/<str:language>/html/", mail_views.mail_html, name="mail_sample_html"),
]
