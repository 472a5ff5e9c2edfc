"""What the demonstration is made of: invented shops, goods, people and streets.

Addresses end in `.example`; telephone numbers begin with 555, which no subscriber in Spain has.
"""

import random
import unicodedata
from dataclasses import dataclass

from orders.services import Customer


@dataclass(frozen=True, slots=True)
class Article:
    """Something a shop sells; price and shipping in cents, taxes included."""

    sku: str
    title: str
    price_cents: int
    shipping_cents: int


@dataclass(frozen=True, slots=True)
class Trader:
    """A shop of the demonstration, with its share of the orders and the times of its day (hour, minute)."""

    code: str
    name: str
    legal_name: str
    tax_id: str
    domain: str
    city: str
    address: str
    owner: str
    category: str
    weight: float
    answers_at: tuple[tuple[int, int], ...]
    leaves_at: tuple[int, int]
    articles: tuple[Article, ...]


def _articles(prefix: str, *rows: tuple[str, int, int]) -> tuple[Article, ...]:
    return tuple(Article(f"{prefix}-{n:03}", *row) for n, row in enumerate(rows, 101))


_EARLY, _LATER = ((9, 20), (16, 10)), ((10, 5), (17, 35))
_EVENING, _NOON = (18, 30), (13, 30)

TRADERS = (
    Trader(
        "ceramicas-alba", "Cerámicas Alba", "Cerámicas Alba de Demostración, S. L.", "B00000018",
        "ceramicasalba.example", "Zaragoza", "Calle del Torno 8", "Lucía Alba Ferrer", "Cerámica", 2.4,
        _EARLY, _EVENING,
        _articles(
            "CER",
            ("Jarrón azul de gres", 3300, 490), ("Plato hondo esmaltado, verde", 1650, 390),
            ("Cuenco de desayuno, barro rojo", 1290, 390), ("Juego de seis tazas de café", 5840, 590),
            ("Fuente ovalada para horno", 2790, 590), ("Aceitera con tapón de corcho", 1890, 390),
            ("Maceta de pared, azul cobalto", 2250, 490), ("Botijo de colección", 4120, 690),
            ("Azulejo pintado a mano, granada", 990, 290), ("Lámina de barro con hojas de olivo", 3580, 490),
            ("Salero y pimentero, pareja de gorriones", 1490, 290), ("Tetera de gres con colador", 4490, 590),
        ),
    ),
    Trader(
        "telar-bruma", "Telar Bruma Alta", "Telar Bruma Alta de Demostración, S. L.", "B00000026",
        "telarbruma.example", "Lugo", "Rúa da Lanzadeira 3", "Antía Rial Souto", "Textil", 1.3,
        _LATER, _NOON,
        _articles(
            "TEX",
            ("Manta de lana, espiga gris", 7900, 690), ("Cojín de lino crudo 45 × 45", 2490, 450),
            ("Juego de servilletas, seis unidades", 1990, 350), ("Mantel de rayas marineras", 3950, 450),
            ("Bufanda tejida a mano, musgo", 3200, 390), ("Paño de cocina, dos unidades", 1150, 290),
            ("Colcha de algodón, 230 × 260", 8900, 690), ("Cortina de lino lavado", 5450, 590),
            ("Bolsa de pan bordada", 1350, 290), ("Alfombra de retales", 4290, 690),
        ),
    ),
    Trader(
        "tetera-errante", "La Tetera Errante", "La Tetera Errante de Demostración, S. L.", "B00000034",
        "teteraerrante.example", "Granada", "Cuesta del Hervor 21", "Nadia Robles Ayala", "Té e infusiones", 1.2,
        _LATER, _NOON,
        _articles(
            "TEA",
            ("Té negro de la mañana, 250 g", 1190, 390), ("Té verde con menta, 200 g", 1050, 390),
            ("Rooibos con naranja, 200 g", 990, 390), ("Infusión de la abuela, 15 bolsitas", 650, 290),
            ("Té blanco de primavera, 100 g", 1690, 390), ("Caja de cata, doce tés", 2450, 450),
            ("Infusor de acero con cadena", 790, 290), ("Lata para té, 500 g", 1290, 390),
            ("Té ahumado, 150 g", 1350, 390), ("Cuenco para té y batidor de bambú", 3490, 490),
        ),
    ),
    Trader(
        "tinta-lenta", "Libros Tinta Lenta", "Libros Tinta Lenta de Demostración, S. L.", "B00000042",
        "tintalenta.example", "Salamanca", "Plaza del Colofón 5", "Tomás Hidalgo Prada", "Librería", 1.2,
        _EARLY, _EVENING,
        _articles(
            "LIB",
            ("La casa de los relojes lentos", 1895, 290), ("Guía de setas para despistados", 2250, 290),
            ("El faro que no quiso apagarse", 1690, 290), ("Cocina de cuchara en veinte pasos", 2400, 350),
            ("Cuentos de la tercera orilla", 1550, 290), ("Atlas ilustrado de pueblos imaginarios", 3290, 450),
            ("Poemas para leer en el autobús", 1290, 250), ("Historia breve de los botones", 1750, 290),
            ("El huerto de la maestra", 1450, 290), ("Diario de a bordo, tapa dura", 1990, 290),
        ),
    ),
    Trader(
        "peonza-roja", "Peonza Roja", "Peonza Roja de Demostración, S. L.", "B00000059",
        "peonzaroja.example", "Alicante", "Avenida del Tiovivo 14", "Iván Molina Serra", "Juguetes", 1.1,
        _EARLY, _EVENING,
        _articles(
            "JUG",
            ("Peonza de madera de haya", 890, 290), ("Tren de tres vagones", 3450, 490),
            ("Rompecabezas del bosque, 48 piezas", 1590, 390), ("Marioneta de guante, zorro", 1850, 390),
            ("Cocinita plegable", 6290, 890), ("Bloques de construcción, 60 piezas", 2990, 490),
            ("Cometa de cola larga", 1790, 390), ("Juego de bolos de colores", 2450, 490),
            ("Caja de música con manivela", 1390, 290), ("Dominó de animales", 1250, 290),
        ),
    ),
    Trader(
        "candil-faro", "Candil y Faro", "Candil y Faro de Demostración, S. L.", "B00000067",
        "candilyfaro.example", "Murcia", "Calle de la Mecha 33", "Rocío Beltrán Lara", "Iluminación", 0.9,
        _LATER, _NOON,
        _articles(
            "LUZ",
            ("Lámpara de mesa, pie de olivo", 5990, 590), ("Aplique de pared, latón", 4350, 490),
            ("Bombilla de filamento, ámbar", 890, 290), ("Guirnalda de diez luces", 2190, 390),
            ("Flexo de escritorio, verde botella", 4790, 590), ("Pantalla plisada, 30 cm", 2650, 450),
            ("Farol de terraza", 3480, 590), ("Lámpara colgante de mimbre", 7250, 790),
            ("Vela eléctrica, tres unidades", 1650, 350), ("Cable textil de tres metros", 1190, 290),
        ),
    ),
    Trader(
        "siete-lunas", "Vivero Siete Lunas", "Vivero Siete Lunas de Demostración, S. L.", "B00000075",
        "sietelunas.example", "Valencia", "Camí de la Sèquia 2", "Vicent Ortolà Mas", "Jardín", 0.9,
        _LATER, _NOON,
        _articles(
            "JAR",
            ("Limonero enano en maceta", 3990, 890), ("Semillas de huerto, doce sobres", 1890, 290),
            ("Tijera de podar", 2290, 390), ("Regadera de zinc, 5 litros", 2750, 590),
            ("Sustrato universal, 20 litros", 1150, 690), ("Guantes de jardín, talla M", 990, 290),
            ("Comedero para pájaros", 1690, 450), ("Kit de aromáticas", 2150, 490),
            ("Manguera extensible, 15 metros", 3250, 590), ("Rosal trepador", 1790, 690),
        ),
    ),
    Trader(
        "tres-pliegos", "Papelería Tres Pliegos", "Papelería Tres Pliegos de Demostración, S. L.", "B00000083",
        "trespliegos.example", "Valladolid", "Calle del Tintero 17", "Elvira Casado Nieto", "Papelería", 1.0,
        _EARLY, _EVENING,
        _articles(
            "PAP",
            ("Cuaderno cosido, papel ahuesado", 1290, 290), ("Pluma de iniciación", 2490, 290),
            ("Tinta azul noche, 50 ml", 1150, 350), ("Carpeta de cartón reciclado", 790, 290),
            ("Juego de lápices de dibujo", 1690, 290), ("Agenda sin fechas", 1850, 290),
            ("Papel de carta y sobres, 20 juegos", 1450, 290), ("Sello de caucho con almohadilla", 1990, 290),
            ("Acuarelas de viaje", 2790, 350), ("Cinta adhesiva decorada, cinco rollos", 990, 250),
        ),
    ),
)  # fmt: skip

_FIRST = (
    "Ana Lucas Marta Pablo Nuria Iker Elena Joan Sara Luis Carmen Diego Irene Hugo Laia Mateo Rosa Adrián Julia Óscar "
    "Pilar Andrés Noelia Raúl Clara Sergio Inés Víctor Berta Álvaro Amaia Gabriel Leire Rubén Olalla Bruno Celia Jorge "
    "Miren Tomás"
)
_LAST = (
    "Zubia Camps Ortiz Ruiz Vila Pons Soler Gómez Núñez Rey Prieto Lozano Marín Cano Vega Salas Roca Pardo Bravo "
    "Ferrer Luna Cuesta Otero Riera Campos Sáez Montes Quintana Aguado Barrios Calvo Duarte Escobar Fuentes Gallardo "
    "Herrero Ibarra Jurado Lago Miró Navas Olmedo Palacios Rivas Segura Toledo Urrutia Valle Yáñez Zamora"
)
_ABROAD = ("Emily Hart", "Oliver Bennett", "Grace Whitlock", "Noah Ashdown", "Freya Sandell", "Liam Corrigan")
_STREETS = (
    "Calle Mayor", "Calle del Olivo", "Avenida de la Estación", "Calle de la Fuente", "Paseo del Río",
    "Plaza de los Tilos", "Calle de las Eras", "Ronda del Molino", "Calle del Pozo", "Travesía de la Noria",
)  # fmt: skip
_CITIES = (
    ("Madrid", "Madrid", "280"), ("Barcelona", "Barcelona", "080"), ("Valencia", "Valencia", "460"),
    ("Sevilla", "Sevilla", "410"), ("Zaragoza", "Zaragoza", "500"), ("Málaga", "Málaga", "290"),
    ("Bilbao", "Bizkaia", "480"), ("Murcia", "Murcia", "300"), ("Vigo", "Pontevedra", "362"),
    ("Gijón", "Asturias", "332"), ("Palma", "Illes Balears", "070"), ("Valladolid", "Valladolid", "470"),
    ("Girona", "Girona", "170"), ("Cádiz", "Cádiz", "110"), ("Pamplona", "Navarra", "310"),
    ("Logroño", "La Rioja", "260"), ("Santander", "Cantabria", "390"), ("Badajoz", "Badajoz", "060"),
    ("Albacete", "Albacete", "020"), ("Cuenca", "Cuenca", "160"),
)  # fmt: skip
PEOPLE = 2400
"""How many customers there are; some of them come back."""


def customer(number: int) -> Customer:
    """The customer of this number, always the same person at the same address."""
    dice = random.Random(f"customer {number}")
    name, language = (
        f"{dice.choice(_FIRST.split())} {dice.choice(_LAST.split())} {dice.choice(_LAST.split())}",
        "es",
    )
    if dice.random() < 0.04:
        name, language = dice.choice(_ABROAD), "en"
    city, region, post = dice.choice(_CITIES)
    return Customer(
        name=name,
        email=f"{_plain(name)}{number}@correo.example",
        language=language,
        phone=f"+34 555 {dice.randrange(100, 1000)} {dice.randrange(100, 1000)}",
        external_id=f"C-{number:05}",
        street=f"{dice.choice(_STREETS)} {dice.randrange(1, 120)}",
        postal_code=f"{post}{dice.randrange(1, 60):02}",
        city=city,
        region=region,
        country="ES",
        wants_invoice=dice.random() < 0.012,
    )


def _plain(name: str) -> str:
    """A name as the first half of an e-mail address."""
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return ".".join(ascii_only.lower().split()[:2])
