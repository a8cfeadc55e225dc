"""Which addresses and settings are accepted, and that refusing them tells no secret."""

import pytest
from requests.structures import CaseInsensitiveDict

from order_assets.omnitron import ClientSettings, OmnitronClient, OmnitronConfigError
from order_assets.omnitron.transport import Call


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("https://shop.omnitron.example", "https://shop.omnitron.example"),
        ("  https://Shop.Omnitron.Example/ ", "https://shop.omnitron.example"),
        ("HTTPS://shop.example:443", "https://shop.example"),
        ("https://shop.example:8443/", "https://shop.example:8443"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://localhost:8000/", "http://localhost:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("https://mağaza.example", "https://xn--maaza-l1a.example"),
    ],
)
def test_usual_spellings_of_an_address_work(given: str, used: str) -> None:
    assert ClientSettings(given, token="t").url == used


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example",
        "http://10.0.0.5:8000",
        "http://127.0.0.1.shop.example",
        "http://localhost.shop.example",
        "http://0.0.0.0:80",
        "http://[::ffff:10.0.0.5]",
    ],
)
def test_plain_http_to_another_machine_is_refused(url: str) -> None:
    with pytest.raises(OmnitronConfigError, match=r"readable over the network.*https"):
        ClientSettings(url, token="t")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example",
        "ftp://shop.example",
        "https:shop.example",
        "https://",
        "https://shop.example/api/v1/?key=s3cr3tvalue",
        "https://shop.example/s3cr3tvalue",
        "https://shop.example?s3cr3tvalue",
        "https://shop.example#s3cr3tvalue",
        "https://ali:s3cr3tvalue@shop.example",
        "https://s3cr3tvalue@shop.example",
        "https://shop.example:s3cr3tvalue",
        "https://shop.example:99999",
        "https://shop example",
        "https://shop.example\r\nX: s3cr3tvalue",
        "https://shop.example\\@evil.example",
        "https://[::1",
        "https://-shop.example",
        "https://a..example",
    ],
)
def test_anything_but_a_bare_address_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(OmnitronConfigError) as caught:
        ClientSettings(url, token="t")
    assert "s3cr3tvalue" not in str(caught.value)
    assert "OMNITRON_URL" in str(caught.value)
    assert caught.value.systemic


@pytest.mark.parametrize(
    ("credentials", "hint"),
    [
        ({}, "OMNITRON_TOKEN, or OMNITRON_USERNAME and OMNITRON_PASSWORD"),
        ({"token": " ", "username": "", "password": ""}, "OMNITRON_TOKEN, or"),
        ({"username": "someone"}, "set OMNITRON_PASSWORD too"),
        ({"password": "s3cr3tvalue"}, "set OMNITRON_USERNAME too"),
    ],
)
def test_missing_credentials_are_named_before_any_request(credentials: dict[str, str], hint: str) -> None:
    with pytest.raises(OmnitronConfigError, match=hint) as caught:
        OmnitronClient(ClientSettings("https://shop.example", **credentials))
    assert "s3cr3tvalue" not in str(caught.value)
    assert "someone" not in str(caught.value)


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "Token abc", "ğ", "a\x00b"])
def test_a_token_that_cannot_be_one_is_refused_without_repeating_it(token: str) -> None:
    with pytest.raises(OmnitronConfigError, match="OMNITRON_TOKEN") as caught:
        ClientSettings("https://shop.example", token=token)
    assert token not in str(caught.value)


def test_a_pasted_line_end_after_the_token_does_no_harm() -> None:
    assert ClientSettings("https://shop.example", token="abc\n").token == "abc"


@pytest.mark.parametrize(
    "wrong",
    [
        {"requests_per_second": 0},
        {"requests_per_second": float("nan")},
        {"max_concurrency": 0},
        {"retries": -1},
        {"read_timeout": 0},
        {"connect_timeout": float("inf")},
        {"max_body_bytes": 0},
        {"backoff_seconds": -1},
    ],
)
def test_an_impossible_number_is_refused_by_name(wrong: dict[str, float]) -> None:
    with pytest.raises(OmnitronConfigError, match=next(iter(wrong))):
        ClientSettings("https://shop.example", token="t", **wrong)  # type: ignore[arg-type]


def test_printing_settings_or_client_shows_no_credentials() -> None:
    settings = ClientSettings("https://shop.example", token="tttttt", username="uuuuuu", password="pppppp")
    with OmnitronClient(settings) as client:
        shown = repr(settings) + str(settings) + repr(client) + str(client) + repr(vars(client))
    headers = CaseInsensitiveDict({"Authorization": "Token tttttt"})
    shown += repr(Call("POST", settings.url, f"POST {settings.url}", "login", headers, b"pppppp"))
    assert "https://shop.example" in shown
    assert not any(secret in shown for secret in ("tttttt", "uuuuuu", "pppppp"))
