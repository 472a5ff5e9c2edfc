"""Money: read strictly, split to the last cent, rounded once, written for people and for machines."""

from decimal import Decimal
from fractions import Fraction

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from marketplace.money import (
    MOST_CENTS,
    Flaw,
    NotMoney,
    apportion,
    exponent,
    format_money,
    parse,
    plain,
    rate,
    share,
)

amounts = st.integers(0, MOST_CENTS)
signed = st.integers(-MOST_CENTS, MOST_CENTS)
currencies = st.sampled_from(["EUR", "USD", "JPY", "KWD", "CHF"])


class TestParse:
    @pytest.mark.parametrize(
        ("given_text", "cents"),
        [
            ("0", 0),
            ("12", 1200),
            ("12.5", 1250),
            ("12,50", 1250),
            ("0012.05", 1205),
            ("1000000000.00", MOST_CENTS),
            (12, 1200),
            (Decimal("12.50"), 1250),
            (Decimal("-0.00"), 0),
        ],
    )
    def test_it_reads_amounts(self, given_text: str | Decimal | int, cents: int) -> None:
        assert parse(given_text) == cents

    @pytest.mark.parametrize(
        ("given_text", "currency", "cents"),
        [("1234", "JPY", 1234), ("1.234", "KWD", 1234), ("1,5", "KWD", 1500), ("7", "KWD", 7000)],
    )
    def test_it_knows_the_decimals_of_a_currency(self, given_text: str, currency: str, cents: int) -> None:
        assert parse(given_text, currency) == cents

    @pytest.mark.parametrize(
        ("wrong", "currency", "flaw"),
        [
            ("", "EUR", Flaw.MALFORMED),
            (" 12", "EUR", Flaw.MALFORMED),
            ("12\n", "EUR", Flaw.MALFORMED),
            ("+12", "EUR", Flaw.MALFORMED),
            (".50", "EUR", Flaw.MALFORMED),
            ("12.", "EUR", Flaw.MALFORMED),
            ("1.234,50", "EUR", Flaw.MALFORMED),
            ("1 234", "EUR", Flaw.MALFORMED),
            ("1e3", "EUR", Flaw.MALFORMED),
            ("NaN", "EUR", Flaw.MALFORMED),
            ("12 €", "EUR", Flaw.MALFORMED),
            ("١٢", "EUR", Flaw.MALFORMED),
            (Decimal("NaN"), "EUR", Flaw.MALFORMED),
            (Decimal("Infinity"), "EUR", Flaw.MALFORMED),
            (Decimal("1E+2"), "EUR", Flaw.MALFORMED),
            (12.5, "EUR", Flaw.MALFORMED),
            (True, "EUR", Flaw.MALFORMED),
            (None, "EUR", Flaw.MALFORMED),
            ("1.234", "EUR", Flaw.DECIMALS),
            ("12.500", "EUR", Flaw.DECIMALS),
            ("1,234", "EUR", Flaw.DECIMALS),
            ("1.5", "JPY", Flaw.DECIMALS),
            (Decimal("0.001"), "EUR", Flaw.DECIMALS),
            ("1,234", "KWD", Flaw.AMBIGUOUS),
            ("-1", "EUR", Flaw.NEGATIVE),
            (-1, "EUR", Flaw.NEGATIVE),
            ("\u22120.01", "EUR", Flaw.NEGATIVE),
            ("1000000000.01", "EUR", Flaw.TOO_LARGE),
            ("9" * 5000, "EUR", Flaw.TOO_LARGE),
            (10**5000, "EUR", Flaw.TOO_LARGE),
        ],
        ids=lambda value: str(value)[:16] if not isinstance(value, int) else "int",
    )
    def test_it_refuses_and_says_why(self, wrong: str, currency: str, flaw: Flaw) -> None:
        with pytest.raises(NotMoney) as refused:
            parse(wrong, currency)
        assert refused.value.flaw == flaw

    def test_a_refusal_speaks_both_languages(self) -> None:
        with override("es"):
            assert str(NotMoney(Flaw.NEGATIVE)) == "El importe no puede ser negativo."
        with override("en"):
            assert str(NotMoney(Flaw.NEGATIVE)) == "The amount cannot be negative."

    def test_every_flaw_has_words(self) -> None:
        with override("es"):
            assert len({str(NotMoney(flaw)) for flaw in Flaw}) == len(Flaw)

    def test_below_zero_only_where_it_is_allowed(self) -> None:
        assert [parse(text, negative=True) for text in ("-12.50", "\u221212,5", -12)] == [-1250, -1250, -1200]

    @given(cents=signed, currency=currencies)
    def test_what_is_written_plainly_is_read_back(self, cents: int, currency: str) -> None:
        assert parse(plain(cents, currency), currency, negative=True) == cents
        assert parse(Decimal(plain(cents, currency)), currency, negative=True) == cents

    @given(cents=signed, currency=currencies)
    def test_what_people_read_is_the_same_amount(self, cents: int, currency: str) -> None:
        english = format_money(cents, currency, "en").replace(",", "").lstrip("−€$¥CHFKWD\u00a0")
        spanish = format_money(cents, currency, "es").split("\u00a0")[0].replace(".", "").lstrip("−")
        assert english == spanish.replace(",", ".")
        assert parse(english, currency) == abs(cents)


class TestApportion:
    @pytest.mark.parametrize(
        ("total", "weights", "shares"),
        [
            (100, [1, 1, 1], [34, 33, 33]),
            (2, [1, 1, 1], [1, 1, 0]),
            (500, [6600, 1200], [423, 77]),
            (10, [0, 5, 0], [0, 10, 0]),
            (5, [0, 0], [3, 2]),
            (0, [3, 4], [0, 0]),
            (7, [1], [7]),
        ],
    )
    def test_it_splits_by_the_largest_remainder(
        self, total: int, weights: list[int], shares: list[int]
    ) -> None:
        assert apportion(total, weights) == shares

    @given(total=amounts, weights=st.lists(st.integers(0, 10**9), min_size=1, max_size=30))
    def test_it_adds_up_and_nobody_is_a_cent_off(self, total: int, weights: list[int]) -> None:
        shares = apportion(total, weights)
        assert sum(shares) == total
        fair = weights if any(weights) else [1] * len(weights)
        for got, weight in zip(shares, fair, strict=True):
            assert abs(got - Fraction(total * weight, sum(fair))) < 1

    @given(total=amounts, weights=st.lists(st.integers(1, 10**6), min_size=1, max_size=12))
    def test_who_weighs_more_gets_no_less(self, total: int, weights: list[int]) -> None:
        weights.sort(reverse=True)
        shares = apportion(total, weights)
        assert shares == sorted(shares, reverse=True)

    @pytest.mark.parametrize(("total", "weights"), [(-1, [1]), (1, [1, -1]), (1, []), (0, [])])
    def test_nonsense_is_refused(self, total: int, weights: list[int]) -> None:
        with pytest.raises(ValueError, match="apportion"):
            apportion(total, weights)


class TestRounding:
    @pytest.mark.parametrize(
        ("amount", "part", "whole", "result"),
        [(1, 1, 2, 1), (1, 1, 3, 0), (-1, 1, 2, -1), (7, 3, 2, 11), (100, 0, 3, 0), (100, 3, 3, 100)],
    )
    def test_halves_go_away_from_zero(self, amount: int, part: int, whole: int, result: int) -> None:
        assert share(amount, part, whole) == result

    @given(amount=signed, part=amounts, whole=st.integers(1, MOST_CENTS))
    def test_a_share_is_the_nearest_cent(self, amount: int, part: int, whole: int) -> None:
        got = share(amount, part, whole)
        assert abs(got - Fraction(amount * part, whole)) <= Fraction(1, 2)
        assert share(-amount, part, whole) == -got

    def test_a_commission_and_its_tax(self) -> None:
        assert rate(7000, 1200) == 840
        assert rate(840, 2100) == 176
        assert [rate(cents, 1) for cents in (4999, 5000, -5000)] == [0, 1, -1]

    @pytest.mark.parametrize(("part", "whole"), [(-1, 1), (1, 0), (1, -1)])
    def test_a_share_is_of_something(self, part: int, whole: int) -> None:
        with pytest.raises(ValueError, match="share"):
            share(100, part, whole)


class TestFormat:
    @pytest.mark.parametrize(
        ("cents", "currency", "spanish", "english"),
        [
            (0, "EUR", "0,00\u00a0€", "€0.00"),
            (5, "EUR", "0,05\u00a0€", "€0.05"),
            (128450, "EUR", "1.284,50\u00a0€", "€1,284.50"),
            (-341820, "EUR", "\u22123.418,20\u00a0€", "\u2212€3,418.20"),
            (123456789, "USD", "1.234.567,89\u00a0$", "$1,234,567.89"),
            (128450, "CHF", "1.284,50\u00a0CHF", "CHF\u00a01,284.50"),
            (1234567, "JPY", "1.234.567\u00a0¥", "¥1,234,567"),
            (-1234567, "KWD", "\u22121.234,567\u00a0KWD", "\u2212KWD\u00a01,234.567"),
        ],
    )
    def test_it_writes_as_the_language_does(
        self, cents: int, currency: str, spanish: str, english: str
    ) -> None:
        assert format_money(cents, currency, "es") == spanish
        assert format_money(cents, currency, "en") == english
        with override("es"):
            assert format_money(cents, currency) == spanish
        with override("en-gb"):
            assert format_money(cents, currency) == english

    def test_machines_get_it_plain(self) -> None:
        assert [plain(-128450, "EUR"), plain(5, "EUR"), plain(5, "JPY"), plain(5, "KWD")] == [
            "-1284.50",
            "0.05",
            "5",
            "0.005",
        ]

    def test_decimals_of_currencies(self) -> None:
        assert [exponent(code) for code in ("EUR", "JPY", "KWD")] == [2, 0, 3]
        for wrong in ("eur", "EU", "EURO", ""):
            with pytest.raises(ValueError, match="currency"):
                exponent(wrong)
