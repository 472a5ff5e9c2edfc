"""The addresses of reviews in the panel."""

from django.urls import path

from quality import views

urlpatterns = [
    path("valoraciones/", views.reviews, name="reviews"),
    path("pedidos/<str:reference>/recordar-valoracion/", views.remind, name="review_remind"),
]
