"""The addresses of the customers' pages; a token is all that they need, so none of them is ever logged."""

from django.urls import path

from customer import invoice_views, return_views, review_views, views
from customer.access import nowhere

urlpatterns = [
    path("<str:token>/", views.order_page, name="customer_order"),
    path("<str:token>", views.order_page),
    path("<str:token>/mensajes/", views.conversation, name="customer_messages"),
    path("<str:token>/recibido/", views.received, name="customer_received"),
    path("<str:token>/cancelar/", views.cancel, name="customer_cancel"),
    path("<str:token>/incidencia/", views.claim, name="customer_claim"),
    path("<str:token>/factura/", invoice_views.invoice, name="customer_invoice"),
    path("<str:token>/valorar/", review_views.review, name="customer_review"),
    path("<str:token>/devolver/", views.give_back, name="customer_return"),
    path("<str:token>/devoluciones/<int:number>/enviada/", return_views.sent, name="customer_return_sent"),
    path(
        "<str:token>/devoluciones/<int:number>/retirar/",
        return_views.withdraw,
        name="customer_return_withdraw",
    ),
    path("<str:token>/archivos/<int:number>/", views.file, name="customer_file"),
    path("<str:token>/albaran.pdf", views.delivery_note, name="customer_delivery_note"),
    path("<str:token>/enlace-nuevo/", views.new_link, name="customer_new_link"),
    path("<path:rest>", nowhere),
    path("", nowhere),
]
