"""The addresses of an order's acts and papers; its page is the dashboard's."""

from django.urls import path

from orders import exception_views, request_views, views

urlpatterns = [
    path("pedidos/<str:reference>/aceptar/", views.order_accept, name="order_accept"),
    path("pedidos/<str:reference>/rechazar/", views.order_refuse, name="order_refuse"),
    path("pedidos/<str:reference>/enviar/", views.order_ship, name="order_ship"),
    path("pedidos/<str:reference>/confirmar/", views.order_fulfil, name="order_fulfil"),
    path("pedidos/<str:reference>/transportista/", views.order_ask_carrier, name="order_ask_carrier"),
    path("pedidos/<str:reference>/listo/", views.order_ready, name="order_ready"),
    path("pedidos/<str:reference>/otra-vez/", exception_views.order_retry, name="order_retry"),
    path("pedidos/<str:reference>/devuelto/", exception_views.order_return, name="order_return_to_sender"),
    path("pedidos/<str:reference>/cancelar/", views.order_cancel, name="order_cancel"),
    path("pedidos/<str:reference>/en-espera/", views.order_hold, name="order_hold"),
    path("pedidos/<str:reference>/faltan/", views.order_shorten, name="order_shorten"),
    path("pedidos/<str:reference>/seguir/", views.order_release, name="order_release"),
    path("pedidos/<str:reference>/enlaces/", views.order_revoke_links, name="order_links_revoked"),
    path("pedidos/<str:reference>/servir/", views.order_assign, name="order_assign"),
    path("pedidos/<str:reference>/pedir/<str:verb>/", request_views.order_ask, name="order_ask"),
    path(
        "pedidos/<str:reference>/peticiones/<str:request_id>/aprobar/",
        request_views.request_approve,
        name="request_approve",
    ),
    path(
        "pedidos/<str:reference>/peticiones/<str:request_id>/denegar/",
        request_views.request_decline,
        name="request_decline",
    ),
    path(
        "pedidos/<str:reference>/peticiones/<str:request_id>/retirar/",
        request_views.request_withdraw,
        name="request_withdraw",
    ),
    path("pedidos/<str:reference>/albaran.pdf", views.delivery_note, name="delivery_note"),
]
