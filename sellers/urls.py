"""The addresses of an account. Only what has a page of ours: nobody signs themselves up."""

from allauth.account import views as account
from django.urls import path, re_path

from sellers import views

urlpatterns = [
    path("entrar/", views.SignIn.as_view(), name="account_login"),
    path("salir/", account.logout, name="account_logout"),
    path("inactiva/", account.account_inactive, name="account_inactive"),
    path("alta/", account.signup, name="account_signup"),
    path("clave/", account.password_change, name="account_change_password"),
    path("clave/primera/", account.password_set, name="account_set_password"),
    path("clave/olvidada/", account.password_reset, name="account_reset_password"),
    path("clave/olvidada/enviada/", account.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^clave/nueva/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("clave/nueva/", account.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    path("confirmar/", account.reauthenticate, name="account_reauthenticate"),
    path("sin-tienda/", views.no_shop, name="no_shop"),
    path("tienda/", views.switch_shop, name="switch_shop"),
    path("idioma/", views.speak, name="speak"),
]
