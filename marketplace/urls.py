"""Every address of the site; the apps' own lists are wired here by name."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("cuenta/", include("sellers.urls")),
    path("", include("orders.urls")),
    path("", include("incidents.urls")),
    path("", include("dashboard.urls")),
    path("pagos/", include("payments.urls")),
    path("", include("messaging.urls")),
    path("", include("settlements.urls")),
    path("", include("quality.urls")),
    path("mi-pedido/", include("customer.urls")),
    path("", include("refunds.urls")),
]
