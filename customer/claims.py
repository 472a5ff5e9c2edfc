"""The incidents of an order as its customer is told of them: what is wrong, and whose turn it is (INC-01)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from incidents.models import Incident, IncidentLine
from incidents.states import State
from marketplace.models import ReasonKind
from marketplace.reasons import Why, said
from orders.models import Line, Order
from orders.states import Decision


@dataclass(frozen=True, slots=True)
class Claim:
    """An incident and the lines that it is about."""

    incident: Incident
    lines: list[Line] = field(default_factory=list)

    @property
    def what(self) -> str:
        """What went wrong, in the words of the list."""
        return said(ReasonKind.INCIDENT, Why(self.incident.reason_code)) or _("Algo ha ido mal")

    @property
    def says(self) -> str:
        """How it stands, and what the customer can do."""
        if self.incident.state == State.OPEN:
            return _("La tienda la está mirando y te contesta con un mensaje.")
        if self.incident.state == State.RESOLVED:
            return _("La tienda la da por resuelta. Si no lo está, díselo con un mensaje.")
        return _("Está cerrada.")


def claims_of(order: Order) -> list[Claim]:
    """The incidents of an order, the latest first, in one read."""
    found: dict[int, Claim] = {}
    rows = IncidentLine.objects.filter(incident__order=order).select_related("incident", "line")
    for row in rows.order_by("-incident_id", "line_id"):
        found.setdefault(row.incident_id, Claim(row.incident)).lines.append(row.line)
    return list(found.values())


def free_lines(lines: Sequence[Line], claims: Sequence[Claim]) -> list[Line]:
    """The lines of which an incident can be opened: what is to be had, and is in none that stands."""
    taken = {line.id for claim in claims if claim.incident.standing for line in claim.lines}
    return [line for line in lines if line.decision == Decision.ACCEPTED and line.id not in taken]
