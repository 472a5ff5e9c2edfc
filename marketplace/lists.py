"""The lists that a new installation starts with; operators edit them in their rooms.

An address is empty where the carrier's page asks for more than the number, a pattern where numbers have
no known form.
"""

REASONS: tuple[tuple[str, str, str, str], ...] = (
    ("refuse", "out-of-stock", "Sin existencias", "Out of stock"),
    ("refuse", "wrong-price", "Precio equivocado", "Wrong price"),
    ("refuse", "area-not-served", "No se envía a esa zona", "That area is not served"),
    ("refuse", "withdrawn", "Artículo retirado", "Article withdrawn"),
    ("refuse", "other", "Otro motivo", "Another reason"),
    ("cancel", "customer-asks", "El cliente lo pide", "The customer asks for it"),
    ("cancel", "out-of-stock", "Sin existencias", "Out of stock"),
    ("cancel", "impossible-address", "Dirección imposible", "Impossible address"),
    ("cancel", "suspected-fraud", "Sospecha de fraude", "Suspected fraud"),
    ("cancel", "other", "Otro motivo", "Another reason"),
    ("hold", "waiting-for-stock", "A la espera de existencias", "Waiting for stock"),
    ("hold", "address-in-doubt", "Dirección por comprobar", "Address to be checked"),
    ("hold", "customer-asks", "El cliente pide esperar", "The customer asks to wait"),
    ("hold", "under-review", "En revisión por el operador", "Under review by the operator"),
    ("hold", "other", "Otro motivo", "Another reason"),
)
"""Act, code, text in Spanish, text in English."""

PEOPLES_REASONS: tuple[tuple[str, str, str, str], ...] = (
    ("contact", "delivery", "Dónde está mi pedido", "Where my order is"),
    ("contact", "address", "Cambiar la dirección", "Changing the address"),
    ("contact", "article", "Una pregunta sobre el artículo", "A question about the article"),
    ("contact", "invoice", "Factura", "Invoice"),
    ("contact", "stock", "Existencias", "Stock"),
    ("contact", "delay", "Un retraso", "A delay"),
    ("contact", "cancellation", "Cancelar el pedido", "Cancelling the order"),
    ("contact", "elsewhere", "Contacto por otra vía", "Contact by another way"),
    ("contact", "other", "Otro motivo", "Another reason"),
    ("incident", "not-received", "No ha llegado", "It has not arrived"),
    ("incident", "damaged", "Llegó roto o dañado", "It arrived broken or damaged"),
    ("incident", "wrong-article", "No es lo que se pidió", "It is not what was ordered"),
    ("incident", "incomplete", "Falta una parte", "A part is missing"),
    ("incident", "faulty", "No funciona", "It does not work"),
    ("incident", "not-as-described", "No es como se describía", "It is not as described"),
    ("incident", "other", "Otro motivo", "Another reason"),
    ("solved", "arrived", "Ya ha llegado", "It has arrived"),
    ("solved", "replaced", "Se cambió y el cliente ya lo tiene", "It was replaced and the customer has it"),
    ("solved", "repaired", "Se arregló", "It was put right"),
    ("solved", "agreed", "Acordado con el cliente", "Agreed with the customer"),
    ("solved", "mistake", "Se abrió por error", "It was opened by mistake"),
    ("solved", "other", "Otro motivo", "Another reason"),
    ("exception", "absent", "No había nadie", "Nobody was there"),
    ("exception", "refused", "No lo quiso recoger", "They would not take it"),
    ("exception", "wrong-address", "La dirección no es correcta", "The address is wrong"),
    ("exception", "incomplete-address", "A la dirección le falta algo", "The address is incomplete"),
    ("exception", "no-telephone", "No contesta al teléfono", "Nobody answers the telephone"),
    ("exception", "no-money", "No tenía con qué pagar", "They could not pay for it"),
    ("exception", "damaged", "Se dañó por el camino", "It was damaged on its way"),
    ("exception", "other", "Otro motivo", "Another reason"),
    ("return", "changed-mind", "Ya no lo quiere", "No longer wanted"),
    ("return", "does-not-fit", "No le queda bien o no le sirve", "It does not fit"),
    ("return", "faulty", "No funciona o está dañado", "It does not work, or is damaged"),
    ("return", "wrong-article", "No es lo que pidió", "It is not what was ordered"),
    ("return", "other", "Otro motivo", "Another reason"),
)
"""What people write about, what goes wrong with a parcel or an article, and how it ends; in the same form."""

NO_RETURN_REASONS: tuple[tuple[str, str, str, str], ...] = (
    ("no_return", "used", "Está usado o le falta el embalaje", "Used, or its packaging is missing"),
    ("no_return", "damaged-there", "Se rompió después de la entrega", "It was broken after delivery"),
    ("no_return", "made-to-order", "Está hecho a medida o personalizado", "Made to order or personalised"),
    ("no_return", "unsealed", "Se abrió el precinto de higiene", "Its hygiene seal is open"),
    ("no_return", "other-article", "No es el artículo que se vendió", "It is not the article that was sold"),
    ("no_return", "other", "Otro motivo", "Another reason"),
)
"""Why a shop does not take a return, before it is sent or after it was looked at; in the same form."""

REFUND_REASONS: tuple[tuple[str, str, str, str], ...] = (
    ("refund", "returned", "El cliente lo devuelve", "The customer returns it"),
    ("refund", "damaged", "Llegó roto o dañado", "It arrived broken or damaged"),
    ("refund", "not-received", "No ha llegado", "It has not arrived"),
    ("refund", "wrong-article", "No es lo que se pidió", "It is not what was ordered"),
    ("refund", "incomplete", "Falta una parte", "A part is missing"),
    ("refund", "late", "Llegó tarde", "It arrived late"),
    ("refund", "price", "Rebaja acordada", "An agreed reduction"),
    ("refund", "other", "Otro motivo", "Another reason"),
)
"""Why money goes back to a customer; in the same form."""

CARRIERS: tuple[tuple[str, str, str, str], ...] = (
    (
        "correos",
        "Correos",
        "https://www.correos.es/es/es/herramientas/localizador/envios/detalle?tracking-number={tracking}",
        r"[A-Z]{2}[0-9]{9}[A-Z]{2}|[A-Z0-9]{23}",
    ),
    (
        "correos-express",
        "Correos Express",
        "https://s.correosexpress.com/SeguimientoSinCP/search?shippingNumber={tracking}",
        r"[0-9]{16}|[0-9]{23}",
    ),
    ("seur", "SEUR", "https://www.seur.com/livetracking/?segOnlineIdentificador={tracking}", ""),
    (
        "mrw",
        "MRW",
        "https://www.mrw.es/seguimiento_envios/MRW_resultados_consultas.asp?modo=nacional&envio={tracking}",
        r"[0-9]{12}",
    ),
    ("gls", "GLS", "https://gls-group.com/ES/es/seguimiento-envio?match={tracking}", ""),
    ("nacex", "NACEX", "", r"[0-9]{4}/[0-9]{7,9}"),
    ("dhl", "DHL", "https://www.dhl.com/es-es/home/tracking.html?tracking-id={tracking}", ""),
    ("ups", "UPS", "https://www.ups.com/track?loc=es_ES&tracknum={tracking}", r"1Z[0-9A-Z]{16}"),
    (
        "fedex",
        "FedEx",
        "https://www.fedex.com/fedextrack/?trknbr={tracking}",
        r"[0-9]{12}|[0-9]{15}|[0-9]{20}",
    ),
    (
        "ctt-express",
        "CTT Express",
        "https://www.cttexpress.com/localizador-de-envios/?sc={tracking}",
        r"[0-9]{22}",
    ),
    ("zeleris", "Zeleris", "https://www.zeleris.com/seguimiento_envio.aspx?id_seguimiento={tracking}", ""),
    ("tipsa", "TIPSA", "https://www.tip-sa.com/cliente/datos_env.php?id={tracking}", ""),
    ("envialia", "Envialia", "", ""),
    ("paack", "Paack", "", ""),
    ("inpost", "InPost", "", ""),
)
"""Code, name, tracking address with {tracking} for the number, what a number looks like."""
