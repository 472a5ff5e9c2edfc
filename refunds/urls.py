"""The addresses of what does not go the way it was meant to."""

from django.urls import path

from refunds import views

urlpatterns = [
    path("pedidos/<str:reference>/redirigir/", views.order_redirect, name="order_redirect"),
]
