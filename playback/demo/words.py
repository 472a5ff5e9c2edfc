"""What people of the demonstration write: conversations in each state, notes, reviews, a template of the shop's own."""

from dataclasses import dataclass

from messaging.recipients import CUSTOMER, OPERATOR, SHOP, SUPPLIER, To
from orders.states import State

_HOUR, _DAY = 1.0, 24.0


@dataclass(frozen=True, slots=True)
class Said:
    """A message: how many hours ago, by whom, to whom, what."""

    ago: float
    who: str
    text: str
    to: To = SHOP
    photo: str = ""


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation about an order in a state (about none where that is empty), and how it ended: `read` by the shop,
    `needless` where nothing has to be answered, answered by a mail that went `astray`."""

    state: State | None
    reason: str
    said: tuple[Said, ...]
    language: str = "es"
    read: bool = True
    needless: bool = False
    astray: str = ""
    subject: str = ""


TALKS = (
    Talk(
        State.AWAITING_SHIPMENT,
        "address",
        (
            Said(
                0.4,
                "customer",
                "Hola. El portal tiene dos entradas y los repartidores siempre llaman a la otra. Os mando una foto "
                "de cómo quedó la caja la última vez. ¿Podéis poner «escalera B» en la etiqueta?",
                photo="caja.jpg",
            ),
        ),
        read=False,
    ),
    Talk(
        State.AWAITING_SHIPMENT,
        "article",
        (
            Said(27, "customer", "¿Se puede meter en el lavavajillas?"),
            Said(25, "shop", "Sí, en la bandeja de arriba y con programa suave.", CUSTOMER),
            Said(3, "customer", "Perfecto. ¿Y en el microondas?"),
        ),
    ),
    Talk(
        State.CLOSED,
        "invoice",
        (Said(6 * _DAY, "customer", "Necesito la factura a nombre de mi empresa. ¿A dónde os envío los datos?"),),
    ),
    Talk(
        State.CLOSED,
        "other",
        (
            Said(30, "customer", "Ha llegado todo perfecto y muy bien envuelto. Gracias."),
        ),
        needless=True,
    ),
    Talk(
        State.SHIPPED,
        "delivery",
        (
            Said(50, "customer", "El seguimiento no se mueve desde el martes. ¿Sabéis algo?"),
            Said(
                46,
                "shop",
                "Hemos llamado al transportista: lo tienen en reparto y llega mañana por la mañana. "
                "Si no, te escribimos.",
                CUSTOMER,
            ),
        ),
    ),
    Talk(
        State.CLOSED,
        "article",
        (
            Said(40, "customer", "Hello. Is the glaze safe for food? I would like to serve salad in it."),
            Said(36, "shop", "Hello. Yes: it is lead-free and fired at 1,240 °C. Enjoy it.", CUSTOMER),
        ),
        language="en",
    ),
    Talk(
        State.AWAITING_SHIPMENT,
        "delay",
        (
            Said(30, "customer", "Es un regalo para el sábado. ¿Llega a tiempo?"),
        ),
        astray="Sí: sale hoy con entrega en 24 horas, así que el viernes lo tienes en casa.",
    ),
    Talk(
        State.AWAITING_SHIPMENT,
        "stock",
        (
            Said(28, "shop", "El horno ha fallado y esta pieza sale con dos días de retraso.", OPERATOR),
            Said(26, "operator", "Gracias por avisar. Díselo también al cliente y no cuenta como incidencia."),
        ),
    ),
    Talk(
        None,
        "other",
        (Said(5, "shop", "¿Se puede enviar a Canarias con las mismas tarifas? Nos lo piden cada semana.", OPERATOR),),
        subject="Envíos a Canarias",
    ),
    Talk(
        State.AWAITING_PICKUP,
        "stock",
        (
            Said(23, "shop", "Nuria, ¿llegáis a tener esta pieza el jueves?", SUPPLIER),
            Said(21, "supplier", "Sale del horno el miércoles por la tarde. El jueves a primera hora la tenéis."),
        ),
    ),
)  # fmt: skip

NOTES = (
    (State.AWAITING_SHIPMENT, "Envolver con papel de seda: es un regalo.", False),
    (State.AWAITING_SHIPMENT, "Lleva doble caja: el esmalte es delicado y viaja mejor así.", True),
    (State.SHIPPED, "El cliente prefiere que se le llame por la tarde.", False),
    (State.CLOSED, "Pidió el mismo juego en verde; avisarle cuando haya.", False),
)
"""On an order in which state, what, and whether the customer reads it."""

REVIEWS = (
    (5, "Preciosa. En la mesa parece de museo y se lava sin miedo."),
    (5, "Llegó antes de lo que decían y con una nota escrita a mano."),
    (4, "Muy bonito. El color es un poco más oscuro que en la foto."),
    (5, ""),
    (3, "La pieza está bien; la caja venía abierta por un lado."),
    (5, "Segundo pedido y otra vez perfecto."),
    (1, "Llegó tarde y no cogisteis el teléfono."),
    (4, ""),
    (5, "Lo regalé y acertamos."),
    (2, "Más pequeño de lo que imaginaba. Mirad bien las medidas."),
    (4, "Buen trabajo y buen embalaje."),
    (5, "Se nota que está hecho a mano, en lo bueno."),
)
"""Stars, and what is said with them."""

HIDDEN = "Da el teléfono de una persona."
UNFIT = (1, "Llamad a la vecina al 555 014 014, que ella os cuenta.")

TEMPLATE = (
    "Cómo cuidar el gres",
    "Cómo cuidar tu pieza",
    "Hola, {{customer_name}}:\n\nGracias por tu pedido {{order_number}}. El gres aguanta el lavavajillas y el "
    "horno; lo que no le sienta bien son los cambios bruscos de temperatura.\n\nUn saludo,\n{{shop_name}}",
)
CLOSED_FOR = "Feria de la cerámica"
