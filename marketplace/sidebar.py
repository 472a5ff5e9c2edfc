"""How the operators' rooms look, and the links beside them, grouped by what an operator comes for."""

from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


def _shades(chroma: float, hue: float) -> dict[str, str]:
    """Eleven shades of one colour, from the lightest to the darkest."""
    lightness = {
        "50": 97,
        "100": 94,
        "200": 88,
        "300": 80,
        "400": 68,
        "500": 54,
        "600": 42,
        "700": 36,
        "800": 30,
        "900": 25,
        "950": 18,
    }
    return {name: f"oklch({percent}% {chroma} {hue})" for name, percent in lightness.items()}


def _room(title: object, icon: str, view: str, query: str = "", waits: str = "") -> dict[str, object]:
    """A link of the sidebar; `waits` names what is counted beside it (`marketplace.waits`)."""
    link = {"title": title, "icon": icon, "link": lambda request: f"{reverse(f'admin:{view}')}{query}"}
    return {**link, "waits": waits} if waits else link


UNFOLD = {
    "SITE_TITLE": "Trastienda",
    "SITE_HEADER": "Trastienda",
    "SITE_SUBHEADER": _("Las salas del operador"),
    "SITE_SYMBOL": "storefront",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "6px",
    "STYLES": [lambda request: static("admin_rooms/rooms.css")],
    "COLORS": {"primary": _shades(0.09, 165)},
    "DASHBOARD_CALLBACK": "marketplace.admin_front.front",
    "SIDEBAR": {
        "navigation": [
            {"items": [_room(_("Inicio"), "home", "index")]},
            {
                "title": _("Lo que espera por ti"),
                "separator": True,
                "items": [
                    _room(
                        _("Cobros atascados"),
                        "hourglass_top",
                        "payments_charge_changelist",
                        "?stuck=yes",
                        waits="stuck",
                    ),
                    _room(
                        _("Devoluciones rechazadas"),
                        "currency_exchange",
                        "payments_payback_changelist",
                        "?state__exact=refused&asked_anew__exact=0&undone__exact=0",
                        waits="refused",
                    ),
                    _room(
                        _("Reembolsos por cubrir"),
                        "volunteer_activism",
                        "refunds_refund_changelist",
                        "?state__exact=asked",
                        waits="covers",
                    ),
                    _room(
                        _("Devoluciones por transferir"),
                        "send_money",
                        "payments_payback_changelist",
                        "?state__exact=waiting&provider__exact=transfer",
                        waits="transfers",
                    ),
                    _room(
                        _("Pagos que no cuadran"),
                        "balance",
                        "orders_hold_changelist",
                        "?kind__exact=payment_mismatch&standing=yes",
                        waits="mismatch",
                    ),
                    _room(
                        _("Peticiones"),
                        "front_hand",
                        "orders_request_changelist",
                        "?state__exact=open&asked_of__exact=operator",
                        waits="requests",
                    ),
                    _room(
                        _("Incidencias por revisar"),
                        "rule",
                        "incidents_incident_changelist",
                        "?situation=review",
                        waits="incidents",
                    ),
                    _room(
                        _("Transportistas pedidos"),
                        "local_shipping",
                        "orders_carrierrequest_changelist",
                        "?state__exact=open",
                        waits="carriers",
                    ),
                    _room(
                        _("Ajustes por aprobar"),
                        "exposure",
                        "settlements_adjustment_changelist",
                        "?state__exact=asked",
                        waits="adjustments",
                    ),
                    _room(
                        _("Transferencias fallidas"),
                        "money_off",
                        "settlements_payout_changelist",
                        "?owed=yes",
                        waits="payouts",
                    ),
                    _room(
                        _("Conversaciones que te esperan"),
                        "mark_chat_unread",
                        "messaging_thread_changelist",
                        "?turn=you",
                        waits="threads",
                    ),
                    _room(
                        _("Avisos abandonados"),
                        "unsubscribe",
                        "messaging_notice_changelist",
                        "?situation=given_up",
                        waits="given_up",
                    ),
                    _room(
                        _("Correos devueltos"),
                        "mark_email_unread",
                        "messaging_notice_changelist",
                        "?situation=bounced",
                        waits="bounced",
                    ),
                    _room(
                        _("Filas apartadas"), "inventory_2", "marketplace_parked_changelist", waits="parked"
                    ),
                ],
            },
            {
                "title": _("Pedidos"),
                "separator": True,
                "items": [
                    _room(_("Pedidos"), "receipt_long", "orders_order_changelist"),
                    _room(_("Conversaciones"), "forum", "messaging_thread_changelist"),
                    _room(_("Incidencias"), "report_problem", "incidents_incident_changelist"),
                    _room(
                        _("Devoluciones"),
                        "assignment_return",
                        "refunds_returnrequest_changelist",
                        waits="returns",
                    ),
                    _room(_("Retenciones"), "pause_circle", "orders_hold_changelist"),
                    _room(
                        _("Novedades de entrega"),
                        "report",
                        "orders_deliveryexception_changelist",
                        "?open=yes",
                    ),
                    _room(_("Cobros"), "credit_card", "payments_charge_changelist"),
                    _room(_("Reembolsos"), "currency_exchange", "refunds_refund_changelist"),
                    _room(_("Devoluciones al cliente"), "undo", "payments_payback_changelist"),
                    _room(_("Pagos por comprobar"), "pending", "payments_inquiry_changelist"),
                    _room(_("Autorizaciones que se sueltan"), "lock_open", "payments_release_changelist"),
                    _room(_("Avisos del proveedor"), "webhook", "payments_webhookreceipt_changelist"),
                    _room(_("Avisos rechazados"), "gpp_bad", "payments_webhookrefusal_changelist"),
                    _room(_("Avisos"), "mail", "messaging_notice_changelist"),
                    _room(_("Devoluciones no atendidas"), "mail_lock", "messaging_bouncerefusal_changelist"),
                    _room(
                        _("Direcciones de respuesta"), "alternate_email", "messaging_correspondent_changelist"
                    ),
                    _room(_("Correos no admitidos"), "unsubscribe", "messaging_mailrefusal_changelist"),
                ],
            },
            {
                "title": _("Dinero"),
                "separator": True,
                "items": [
                    _room(_("Liquidaciones"), "account_balance", "settlements_statement_changelist"),
                    _room(_("Transferencias"), "payments", "settlements_payout_changelist"),
                    _room(_("Ajustes"), "exposure", "settlements_adjustment_changelist"),
                    _room(_("Datos de cobro"), "badge", "settlements_payee_changelist"),
                    _room(_("Datos del operador"), "domain", "settlements_issuer_changelist"),
                    _room(
                        _("Ficheros de transferencias"), "upload_file", "settlements_payoutfile_changelist"
                    ),
                    _room(_("Facturas"), "request_quote", "settlements_invoice_changelist"),
                    _room(_("Ciclos"), "event_repeat", "settlements_cycle_changelist"),
                    _room(_("Asientos"), "menu_book", "ledger_entry_changelist"),
                    _room(_("Saldos"), "savings", "ledger_balance_changelist"),
                    _room(
                        _("Dinero en manos de los mensajeros"),
                        "account_balance_wallet",
                        "payments_remittance_in_hand",
                    ),
                    _room(_("Remesas"), "move_to_inbox", "payments_remittance_changelist"),
                    _room(_("Cobros en la puerta"), "door_front", "payments_collection_changelist"),
                ],
            },
            {
                "title": _("Tiendas y personas"),
                "separator": True,
                "items": [
                    _room(_("Tiendas"), "store", "sellers_shop_changelist"),
                    _room(_("Proveedores"), "handyman", "sellers_supplier_changelist"),
                    _room(_("Personas"), "group", "sellers_user_changelist"),
                    _room(_("Valoraciones"), "star", "quality_review_changelist"),
                ],
            },
            {
                "title": _("Reglas y listas"),
                "separator": True,
                "items": [
                    _room(_("Canales y políticas"), "policy", "marketplace_channel_changelist"),
                    _room(_("Versiones publicadas"), "history", "marketplace_policy_changelist"),
                    _room(_("Comisiones con fechas"), "percent", "orders_commissionrate_changelist"),
                    _room(_("Zonas"), "map", "marketplace_zone_changelist"),
                    _room(_("Motivos"), "list_alt", "marketplace_reason_changelist"),
                    _room(_("Plantillas"), "article", "messaging_template_changelist"),
                    _room(_("Transportistas"), "local_shipping", "marketplace_carrier_changelist"),
                ],
            },
            {
                "title": _("Relojes"),
                "separator": True,
                "items": [
                    _room(_("Todos los relojes"), "schedule", "marketplace_timerrun_clocks"),
                    _room(_("Pasadas"), "play_circle", "marketplace_timerrun_changelist"),
                ],
            },
        ]
    },
}
