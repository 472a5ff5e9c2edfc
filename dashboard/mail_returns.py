"""The samples of what is told of returns (REF-09)."""

from django.utils.translation import gettext_lazy as _

from dashboard.mail_cases import LONG, Case
from marketplace.policy import Role
from orders.states import Verb

_RETURN = {
    "return": 1, "wanted": [{"title": "Jarrón azul", "units": 1}, {"title": LONG, "units": 12}],
    "due_by": "2026-12-04T12:00:00+01:00",
}  # fmt: skip
_HOW = {
    **_RETURN,
    "state": "instructed",
    "label": True,
    "text": ["Usa la caja en la que llegó.", "Déjalo en cualquier oficina de SEUR."],
}
_NO = {**_RETURN, "due_by": None, "reason": {"code": "used"}, "text": ["Le falta la caja y está rayado."]}
_LOOKED_AT = {
    **_RETURN,
    "state": "inspected",
    "presumed": False,
    "inspected": [
        {"title": "Jarrón azul", "units": 1, "good": 1, "flaw": ""},
        {"title": LONG, "units": 12, "good": 10, "flaw": "Dos tazas llegan rotas"},
    ],
}

RETURN_CASES: dict[str, tuple[Case, ...]] = {
    Verb.RETURN_ASKED: (
        Case(by=Role.CUSTOMER, data={**_RETURN, "reason": {"code": "changed-mind"}, "text": "No pega con el salón."}),
    ),
    Verb.RETURN_ACCEPTED: (
        Case(_("con instrucciones"), Role.SELLER, data=_HOW),
        Case(_("sin instrucciones"), Role.OPERATOR, data={**_RETURN, "state": "accepted"}),
        Case(_("por silencio"), data={**_RETURN, "state": "accepted", "presumed": True}),
    ),
    Verb.RETURN_REFUSED: (Case(by=Role.SELLER, data=_NO),),
    Verb.RETURN_INSTRUCTED: (
        Case(_("con instrucciones"), Role.SELLER, data=_HOW),
        Case(_("solo la etiqueta"), Role.SELLER, data={**_HOW, "text": []}),
    ),
    Verb.RETURN_SENT: (
        Case(by=Role.CUSTOMER, data={**_RETURN, "carrier": "Correos", "tracking": "PQ123456789ES"}),
        Case(_("sin decir cómo"), Role.CUSTOMER, data={**_RETURN, "carrier": "", "tracking": ""}),
    ),
    Verb.RETURN_WITHDRAWN: (Case(by=Role.CUSTOMER, data={**_RETURN, "due_by": None}),),
    Verb.RETURN_LAPSED: (Case(data={**_RETURN, "due_by": None}),),
    Verb.RETURN_RECEIVED: (Case(by=Role.SELLER, data=_RETURN),),
    Verb.RETURN_INSPECTED: (
        Case(_("por el operador"), Role.OPERATOR, data=_LOOKED_AT),
        Case(_("por silencio"), data={**_LOOKED_AT, "presumed": True}),
    ),
    Verb.RETURN_REPLACED: (
        Case(by=Role.SELLER, data={
            **_RETURN, "due_by": None, "carrier": "SEUR", "tracking": "SE987654321",
            "sent": [{"title": "Jarrón azul", "units": 1}],
        }),
    ),
    Verb.RETURN_REJECTED: (Case(by=Role.SELLER, data=_NO),),
    Verb.RETURN_LATE: tuple(
        Case(words, data={**_RETURN, "where": where})
        for words, where in (
            (_("sin instrucciones"), "accepted"), (_("sin llegar"), "sent"), (_("sin resolver"), "inspected"),
        )
    ),
}  # fmt: skip
