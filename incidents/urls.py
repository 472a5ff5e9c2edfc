"""The addresses of what is done to incidents; their pages are the dashboard's."""

from django.urls import path

from incidents import views

urlpatterns = [
    path(
        "pedidos/<str:reference>/incidencias/<int:number>/resolver/",
        views.incident_resolve,
        name="incident_resolve",
    ),
]
