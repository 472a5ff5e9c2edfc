"""The addresses of the local mailbox, of files of messages, and of what mail providers call."""

from django.urls import path, register_converter

from messaging import attachment_views, views
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
    path("buzon/", views.mailbox, name="mailbox"),
    path("buzon/<mail_name:name>/", views.mail, name="mail"),
    path("buzon/<mail_name:name>/html/", views.mail_html, name="mail_html"),
    path("mensajes/adjuntos/<int:number>/", attachment_views.attachment, name="attachment"),
    path("correo/<slug:provider>/", views.mail_webhook, name="mail_webhook"),
]
