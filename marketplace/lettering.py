"""What can be seen of the words that people type."""

import unicodedata

_UNSEEN = {"Cc", "Cf", "Zl", "Zp", "Zs"}


def visible(text: str) -> str:
    """The text without blanks around it; empty when nothing of it can be seen."""
    seen = any(unicodedata.category(letter) not in _UNSEEN for letter in text)
    return text.strip() if seen else ""
