"""Vancouver text by the book of the National Library of Medicine."""

import pytest

from sphinx_citable import cite


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (
            {
                "author": [{"family": "Doe", "given": "Jane Ann"}, {"literal": "A Group"}],
                "URL": "https://x.example/t/2345/",
            },
            "Doe JA, A Group. A title? In: A Book [Internet]. Edition 1.0. 2026. Section 2345, text 11111111, "
            "results 22222222. "
            "Available from: https://x.example/t/2345/",
        ),
        (
            {},
            "A title? In: A Book [Internet]. Edition 1.0. 2026. Section 2345, text 11111111, results 22222222 (address pending).",
        ),
    ],
)
def test_vancouver_text_follows_citing_medicine(item, said):
    """No stop is doubled, none follows an address that ends in a slash, and a lacking address is said."""
    known = {
        "id": "x",
        "type": "chapter",
        "title": "A title?",
        "container-title": "A Book",
        "edition": "1.0",
        "number": "2345",
        "note": "text 11111111, results 22222222",
        "issued": {"date-parts": [[2026]]},
    }
    assert cite.lines([known | item]) == [said]
