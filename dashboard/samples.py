"""What the component page shows: every component in each of its states, on made-up figures."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.utils.translation import gettext as _

from dashboard.words import TONES, StateWords
from orders.states import State


def everything(now: datetime) -> dict[str, Any]:
    """The context of the component page at a moment."""
    return {
        "at": now,
        "states": [StateWords(str(state.label), TONES.get(state, "done")) for state in State]
        + [StateWords(str(State.AWAITING_SHIPMENT.label), "act", held=True)],
        "amounts": [(128450, "EUR"), (-1220, "EUR"), (0, "EUR"), (990, "GBP"), (12000, "JPY")],
        "moments": [
            now - timedelta(hours=1),
            now + timedelta(days=1),
            now - timedelta(days=4),
            now - timedelta(days=400),
        ],
        "deadlines": [
            now - timedelta(hours=20),
            now + timedelta(hours=2, minutes=10),
            now + timedelta(days=5),
        ],
        "sentence": _("Se cancelará si no lo aceptas. 72 horas desde el pedido."),
        "tabs": [
            {"text": _("Todos"), "href": "#", "count": 1284, "current": False},
            {"text": _("Por aceptar"), "href": "#", "count": 7, "current": True},
            {"text": _("Débito"), "href": "#", "count": 0, "current": False},
            {"text": _("Historial"), "href": "#", "count": None, "current": False},
        ],
        "told": [
            Message(constants.SUCCESS, _("3 pedidos aceptados.")),
            Message(
                constants.ERROR, _("1 no se ha aceptado:") + "\nP-20977-A: " + _("El plazo ya ha pasado.")
            ),
            Message(constants.WARNING, _("No has elegido ningún pedido.")),
            Message(constants.INFO, _("Se prepara el fichero.")),
        ],
        "history": [
            {"text": _("Aceptado"), "note": "Lucía · 22/11/2026 14:05"},
            {"text": _("Pedido recibido"), "note": "22/11/2026 11:52"},
        ],
    }
