"""How baskets come in from outside: their shape, and the files that bring them (API-04)."""
