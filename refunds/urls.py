"""The addresses of what does not go the way it was meant to."""

from django.urls import path

from refunds import refund_views, return_views, views

urlpatterns = [
    path("pedidos/<str:reference>/reembolso/", refund_views.order_refund, name="order_refund"),
    path(
        "pedidos/<str:reference>/devoluciones/<int:number>/<slug:word>/",
        return_views.return_act,
        name="return_act",
    ),
    path("pedidos/<str:reference>/redirigir/", views.order_redirect, name="order_redirect"),
]
