"""The addresses of the local mailbox, and of what mail providers call."""

from django.urls import path, register_converter

from messaging import astray_views, views
from messaging.mailbox import NAME


class MailName:
    """The name of a mail in the mailbox, and nothing else."""

    regex = NAME

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(MailName, "mail_name")

urlpatterns = [
    path(
        "pedidos/<str:reference>/mensajes/enviar/<int:message_id>/",
        astray_views.message_send_on,
        name="message_send_on",
    ),
    path("buzon/", views.mailbox, name="mailbox"),
    path("buzon/<mail_name:name>/", views.mail, name="mail"),
    path("buzon/<mail_name:name>/html/", views.mail_html, name="mail_html"),
    path("buzon/<mail_name:name>/contestar/", views.mail_answer, name="mail_answer"),
    path("correo/<slug:provider>/", views.mail_webhook, name="mail_webhook"),
    path("correo/<slug:provider>/respuestas/", views.mail_inbound, name="mail_inbound"),
]
