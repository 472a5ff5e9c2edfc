"""The addresses of conversations and their files, of notices in the panel, of the local mailbox and mail providers."""

from django.urls import path, register_converter

from messaging import (
    astray_views,
    attachment_views,
    centre_views,
    invoice_views,
    message_views,
    shop_days_views,
    talk_views,
    template_views,
    views,
)
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
    path("avisos/", centre_views.notices, name="notices"),
    path("avisos/leidos/", centre_views.notices_read, name="notices_read"),
    path("avisos/<int:notice_id>/", centre_views.notice, name="notice"),
    path("mensajes/operador/", talk_views.to_operator, name="to_operator"),
    path("mensajes/operador/<int:thread_id>/", talk_views.operator_thread, name="operator_thread"),
    path("mensajes/plantillas/", template_views.templates, name="templates"),
    path("mensajes/plantillas/nueva/", template_views.template, name="new_template"),
    path("mensajes/plantillas/<int:template_id>/", template_views.template, name="template"),
    path("mensajes/plantillas/<int:template_id>/quitar/", template_views.drop, name="drop_template"),
    path(
        "pedidos/<str:reference>/proveedor/<int:supplier_id>/",
        talk_views.supplier_thread,
        name="supplier_thread",
    ),
    path("pedidos/<str:reference>/notas/", talk_views.order_note, name="order_note"),
    path(
        "pedidos/<str:reference>/mensajes/nueva/", message_views.conversation_start, name="conversation_start"
    ),
    path(
        "pedidos/<str:reference>/mensajes/<int:thread_id>/",
        message_views.conversation_reply,
        name="conversation_reply",
    ),
    path(
        "pedidos/<str:reference>/mensajes/deshacer/<int:message_id>/",
        message_views.message_take_back,
        name="message_take_back",
    ),
    path(
        "pedidos/<str:reference>/mensajes/sin-respuesta/<int:message_id>/",
        message_views.message_needless,
        name="message_needless",
    ),
    path(
        "pedidos/<str:reference>/mensajes/enviar/<int:message_id>/",
        astray_views.message_send_on,
        name="message_send_on",
    ),
    path("pedidos/<str:reference>/factura/", invoice_views.order_invoice, name="order_invoice"),
    path("mensajes/<int:thread_id>/lleva/", message_views.conversation_assign, name="conversation_assign"),
    path("tienda/cierres/", shop_days_views.shop_days, name="shop_days"),
    path("tienda/cierres/<int:holiday_id>/retirar/", shop_days_views.withdraw_days, name="withdraw_days"),
    path("buzon/", views.mailbox, name="mailbox"),
    path("buzon/<mail_name:name>/", views.mail, name="mail"),
    path("buzon/<mail_name:name>/html/", views.mail_html, name="mail_html"),
    path("mensajes/adjuntos/<int:number>/", attachment_views.attachment, name="attachment"),
    path("buzon/<mail_name:name>/contestar/", views.mail_answer, name="mail_answer"),
    path("correo/<slug:provider>/", views.mail_webhook, name="mail_webhook"),
    path("correo/<slug:provider>/respuestas/", views.mail_inbound, name="mail_inbound"),
]
