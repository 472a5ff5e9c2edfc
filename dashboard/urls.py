"""The addresses of the panel."""

from django.urls import path

from dashboard import views

urlpatterns = [
    path("", views.home, name="home"),
    path("pedidos/", views.orders, name="orders"),
    path("design/", views.design, name="design"),
]
