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
