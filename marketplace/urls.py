"""Every address of the site; the apps' own lists are wired here by name."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def live(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok", content_type="text/plain")


urlpatterns = [
    path("health/live", live, name="live"),
    path("admin/", admin.site.urls),
    path("cuenta/", include("sellers.urls")),
    path("", include("orders.urls")),
    path("", include("dashboard.urls")),
    path("pagos/", include("payments.urls")),
    path("buzon/", include("messaging.urls")),
]
