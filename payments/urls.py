"""The addresses of payments: what providers are told to call."""

from django.urls import path

from payments import views

urlpatterns = [path("stripe/<slug:channel>/", views.stripe_webhook, name="stripe_webhook")]
