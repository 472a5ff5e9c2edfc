"""The request for a review, the shop's one reminder, the review, and the score that reviews make."""

from datetime import timedelta

import pytest

from incidents import services as incidents
from marketplace.models import Channel
from marketplace.policy import Role
from marketplace.refusals import Code, MoveRefused
from messaging.models import Notice
from orders import services as orders
from orders.models import Order
from orders.states import State
from quality import services
from quality.models import Review, ReviewRequest, Score
from quality.queries import by_stars, next_request, score_of
from sellers.desk import Actor
from sellers.models import Shop, User
from tests.conftest import AT, CLOCK, CUSTOMER, OPERATOR, SELLER, sure
from tests.dashboard.pages import browser, get
from tests.incidents.claims import ARRIVED, claimed
from tests.orders.lives import brought_to, tick

pytestmark = pytest.mark.django_db

DAYS_5 = timedelta(days=5)
NOW = AT + timedelta(days=9)


@pytest.fixture
def delivered(channel: Channel, shop: Shop) -> Order:
    return Order.objects.get(id=brought_to(State.DELIVERED, channel, shop)[0])


def told(event: str) -> int:
    return Notice.objects.filter(event=event).count()


@pytest.fixture
def asked(delivered: Order) -> Order:
    """An order of which the customer was asked for a review."""
    assert tick("reviews", NOW).done == 1
    return delivered


@pytest.mark.rule("REV-01")
def test_a_review_is_asked_for_some_days_after_delivery_and_once(delivered: Order) -> None:
    ask_at = sure(ReviewRequest.objects.get().ask_at)
    assert ask_at == next_request() == sure(delivered.delivered_at) + DAYS_5
    assert tick("reviews", ask_at - timedelta(microseconds=1)).done == 0
    assert tick("reviews", ask_at).done == 1
    orders.receive([delivered.id], by=CLOCK, at=AT + timedelta(days=30))
    assert tick("reviews", AT + timedelta(days=90)).done == 0
    assert told("review_asked") == 1
    assert next_request() is None


@pytest.mark.rule("REV-01")
def test_a_customer_whose_order_nobody_saw_arrive_is_asked_when_it_counts_as_received(
    channel: Channel, shop: Shop
) -> None:
    (received,) = brought_to(State.RECEIVED, channel, shop)
    order = Order.objects.get(id=received)
    assert ReviewRequest.objects.get().ask_at == sure(order.received_at) + DAYS_5


@pytest.mark.rule("REV-01")
def test_nobody_is_asked_about_what_came_back_or_in_the_middle_of_an_incident(
    channel: Channel, shop: Shop, delivered: Order
) -> None:
    incident = claimed(delivered.id)
    assert tick("reviews", NOW).done == 0
    assert told("review_asked") == 0
    incidents.resolve(incident.id, reason=ARRIVED, by=SELLER, at=NOW)
    incidents.close([incident.id], by=OPERATOR, at=NOW)
    assert tick("reviews", NOW + timedelta(days=1)).done == 1
    brought_to(State.RETURNED, channel, shop)
    assert tick("reviews", NOW + timedelta(days=30)).done == 0
    assert told("review_asked") == 1


@pytest.mark.rule("REV-01")
def test_nobody_is_asked_in_the_middle_of_an_incident_of_a_settled_order(
    channel: Channel, shop: Shop
) -> None:
    later = AT + timedelta(days=90)
    order = Order.objects.get(id=brought_to(State.CLOSED, channel, shop)[0])
    incident = claimed(order.id, by=OPERATOR, at=later)
    assert Order.objects.get(id=order.id).incident_at is None
    assert tick("reviews", later).done == 0
    assert told("review_asked") == 0
    incidents.resolve(incident.id, reason=ARRIVED, by=SELLER, at=later)
    incidents.close([incident.id], by=OPERATOR, at=later)
    assert tick("reviews", later + timedelta(days=1)).done == 1
    assert told("review_asked") == 1


@pytest.mark.rule("REV-02")
def test_the_shop_reminds_once_in_its_own_words(asked: Order, shop: Shop, alice: User) -> None:
    page = browser(alice)
    address = f"/pedidos/{asked.reference}/recordar-valoracion/"
    assert page.post(address, {"text": " "}).status_code == 422
    assert told("review_reminder") == 0
    assert page.post(address, {"text": "¿Llegó bien el jarrón?\nUn saludo"}).status_code == 302
    notice = Notice.objects.get(event="review_reminder")
    assert notice.payload["text"] == ["¿Llegó bien el jarrón?", "Un saludo"]
    assert page.post(address, {"text": "¿Y bien?"}).status_code == 409
    assert told("review_reminder") == 1
    assert "recordada por Alicia Alba" in get(page, "/valoraciones/?ver=sin-respuesta")


@pytest.mark.rule("REV-02", "MSG-12")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("Hola, {{customer_name}}", "Falta rellenar: Nombre del cliente"),
        ("\u200b \u2060", "El mensaje está vacío."),
    ],
)
def test_a_reminder_that_says_nothing_or_asks_for_something_is_not_sent(
    asked: Order, alice: User, words: str, says: str
) -> None:
    answer = browser(alice).post(f"/pedidos/{asked.reference}/recordar-valoracion/", {"text": words})
    assert answer.status_code == 409
    assert says in answer.content.decode()
    assert told("review_reminder") == 0
    assert ReviewRequest.objects.get().reminded_at is None


@pytest.mark.rule("REV-02")
@pytest.mark.parametrize(
    ("by", "code"),
    [
        (OPERATOR, Code.NOT_ALLOWED),
        (Actor(Role.SELLER, "Rita", rights=frozenset()), Code.NOT_ALLOWED),
        (SELLER, Code.NOT_ASKED),
    ],
)
def test_a_reminder_that_may_not_be_sent_leaves_nothing(delivered: Order, by: Actor, code: Code) -> None:
    with pytest.raises(MoveRefused) as refused:
        services.remind(delivered, "Hola", by=by, at=NOW)
    assert refused.value.refusal.code == code
    assert told("review_reminder") == 0
    assert ReviewRequest.objects.get().reminded_at is None


@pytest.mark.rule("REV-03")
def test_reviews_make_the_score_of_the_shop(channel: Channel, shop: Shop, asked: Order, alice: User) -> None:
    services.write_review(asked, 5, "Precioso.\n\nLlegó muy bien.", by=CUSTOMER, at=NOW)
    (other,) = brought_to(State.DELIVERED, channel, shop)
    services.write_review(Order.objects.get(id=other), 2, "", by=CUSTOMER, at=NOW)
    score = score_of(shop)
    assert (score.reviews_count, score.stars_sum, score.stars) == (2, 7, 3.5)
    assert by_stars(shop) == {5: 1, 4: 0, 3: 0, 2: 1, 1: 0}
    page = get(browser(alice), "/valoraciones/")
    assert "<b>3,5</b><small>de 5, con 2 valoraciones" in page
    assert "Llegó muy bien." in page
    assert told("review_written") == 2
    with pytest.raises(MoveRefused) as refused:
        services.remind(asked, "Hola", by=SELLER, at=NOW)
    assert refused.value.refusal.code == Code.DUPLICATE


@pytest.mark.rule("REV-03")
def test_a_hidden_review_is_out_of_the_score_and_says_so(asked: Order, shop: Shop, alice: User) -> None:
    review = services.write_review(asked, 1, "Insultos", by=CUSTOMER, at=NOW)
    assert [one.code for one in services.hide([review.id], because=" ", by=OPERATOR, at=NOW).refused] == [
        Code.REASON_NEEDED
    ]
    assert [one.code for one in services.hide([review.id], because="x", by=SELLER, at=NOW).refused] == [
        Code.NOT_ALLOWED
    ]
    assert score_of(shop).reviews_count == 1
    assert services.hide([review.id], because="Insulta a la tienda", by=OPERATOR, at=NOW).moved == [review.id]
    assert score_of(shop).stars is None
    assert "Oculta por el operador y fuera de la puntuación: Insulta a la tienda" in get(
        browser(alice), "/valoraciones/"
    )
    services.show([review.id], by=OPERATOR, at=NOW)
    assert (score_of(shop).reviews_count, score_of(shop).stars_sum) == (1, 1)


@pytest.mark.rule("REV-03")
@pytest.mark.parametrize(
    ("stars", "text", "by", "code"),
    [
        (0, "", CUSTOMER, Code.MALFORMED),
        (6, "", CUSTOMER, Code.MALFORMED),
        (5, "x" * 2001, CUSTOMER, Code.TOO_LONG),
        (5, "", SELLER, Code.NOT_ALLOWED),
    ],
)
def test_a_review_that_makes_no_sense_is_not_kept(
    delivered: Order, stars: int, text: str, by: Actor, code: Code
) -> None:
    with pytest.raises(MoveRefused) as refused:
        services.write_review(delivered, stars, text, by=by, at=NOW)
    assert refused.value.refusal.code == code
    assert not Review.objects.exists()
    assert not Score.objects.exists()


@pytest.mark.rule("REV-03")
def test_nobody_reviews_what_they_do_not_have_or_twice(
    channel: Channel, shop: Shop, delivered: Order
) -> None:
    shipped = Order.objects.get(id=brought_to(State.SHIPPED, channel, shop)[0])
    with pytest.raises(MoveRefused) as refused:
        services.write_review(shipped, 5, "", by=CUSTOMER, at=NOW)
    assert refused.value.refusal.code == Code.TOO_EARLY
    services.write_review(delivered, 5, "", by=CUSTOMER, at=NOW)
    with pytest.raises(MoveRefused) as refused:
        services.write_review(delivered, 1, "", by=CUSTOMER, at=NOW)
    assert refused.value.refusal.code == Code.DUPLICATE
    assert list(Review.objects.values_list("stars", flat=True)) == [5]


@pytest.mark.rule("ROL-01")
def test_a_strangers_reviews_are_not_there(asked: Order, charlie: User, nuria: User) -> None:
    services.write_review(asked, 5, "Solo de Alba", by=CUSTOMER, at=NOW)
    assert "Solo de Alba" not in get(browser(charlie), "/valoraciones/")
    for stranger in (charlie, nuria):
        address = f"/pedidos/{asked.reference}/recordar-valoracion/"
        assert browser(stranger).post(address, {"text": "Hola"}).status_code == 404
    assert browser(nuria).get("/valoraciones/").status_code == 404


@pytest.mark.rule("REV-03")
def test_the_page_costs_the_same_with_one_review_and_with_fifty(
    channel: Channel, shop: Shop, alice: User, django_assert_max_num_queries: pytest.FixtureRequest
) -> None:
    page = browser(alice)
    first, *more = brought_to(State.DELIVERED, channel, shop, 60)
    services.write_review(Order.objects.get(id=first), 5, "Bien", by=CUSTOMER, at=NOW)
    with django_assert_max_num_queries(8):  # type: ignore[operator]
        get(page, "/valoraciones/")
    for n, order in enumerate(Order.objects.filter(id__in=more)):
        services.write_review(order, 1 + n % 5, f"Opinión {n}", by=CUSTOMER, at=NOW + timedelta(minutes=n))
    with django_assert_max_num_queries(8):  # type: ignore[operator]
        seen = get(page, "/valoraciones/")
    after = seen.split('href="/valoraciones/?despues=')[1].split('"')[0]
    rest = get(page, f"/valoraciones/?despues={after}")
    assert seen.count("Opinión ") + rest.count("Opinión ") == 59
    for nonsense in ("x_1", "2020-01-01_1", "2020-01-01T00:00:00+00:00_x", "9" * 40):
        assert "Opinión 58" in get(page, f"/valoraciones/?despues={nonsense}")
