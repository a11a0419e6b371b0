"""Endpoints, and the proxies of the environment."""

from __future__ import annotations

import pytest

from aigw.config.endpoint import endpoint_of, proxy_from, proxy_of
from aigw.model.instance import Endpoint


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("https://h", Endpoint("https", "h", 443)),
        ("http://h", Endpoint("http", "h", 80)),
        ("HTTPS://API.Example.com:8443", Endpoint("https", "api.example.com", 8443)),
        ("http://h/", Endpoint("http", "h", 80)),
        ("http://h/v1", Endpoint("http", "h", 80, "/v1")),
        ("http://h/v1/?a=b&c", Endpoint("http", "h", 80, "/v1/", "a=b&c")),
        ("http://h?a=b", Endpoint("http", "h", 80, "", "a=b")),
        ("http://[::1]:8080/x", Endpoint("http", "::1", 8080, "/x")),
        ("http://[2001:DB8:0::1]", Endpoint("http", "2001:db8::1", 80)),
        ("http://10.0.0.1", Endpoint("http", "10.0.0.1", 80)),
        ("http://my_host:1", Endpoint("http", "my_host", 1)),
        ("https://h/model/a%2Fb/converse", Endpoint(
            "https", "h", 443, "/model/a%2Fb/converse"
        )),
    ],
)  # fmt: skip
def test_an_endpoint_is_taken_apart(url: str, endpoint: Endpoint) -> None:
    assert endpoint_of(url) == endpoint


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("h:80", "scheme"),
        ("//h", "scheme"),
        ("ftp://h", "scheme"),
        ("http://", "no valid host"),
        ("http:///x", "no valid host"),
        ("http://u:p@h", "credentials"),
        ("http://u@h", "credentials"),
        ("http://@h", "credentials"),
        ("http://h:0", "port"),
        ("http://h:65536", "port"),
        ("http://h:x", "port"),
        ("http://h#x", "fragment"),
        ("http://h/#", "fragment"),
        ("http://h/a b", "printable"),
        ("http://h/a\n", "printable"),
        ("http://bücher/", "printable"),
        ("http://h/%zz", "hexadecimal"),
        ("http://[::g]", "IPv6|invalid"),
        ("http://[h]", "IPv6|invalid|valid"),
        ("http://-h", "no valid host"),
        ("http://h..,", "no valid host"),
        ("", "printable"),
    ],
)
def test_what_is_no_endpoint_is_refused(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        endpoint_of(url)


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://p:3128", "http://p:3128"),
        ("http://P", "http://p:80"),
        ("p:3128", "http://p:3128"),
        ("http://u:p%40@p:1/", "http://u:p%40@p:1"),
        ("http://[::1]:1", "http://[::1]:1"),
    ],
)
def test_a_proxy_is_brought_into_one_form(url: str, proxy: str) -> None:
    assert proxy_of(url) == proxy


@pytest.mark.parametrize("url", ["socks5://p", "https://p", "http://p/x", "http://p?a"])
def test_a_proxy_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="."):  # noqa: RUF043
        proxy_of(url)


@pytest.mark.parametrize(
    ("excepted", "host", "port", "goes"),
    [
        ("", "h.example.com", 443, True),
        ("*", "h.example.com", 443, False),
        ("example.com", "h.example.com", 443, False),
        (".example.com", "h.example.com", 443, False),
        ("*.example.com", "h.example.com", 443, False),
        ("example.com", "example.com", 443, False),
        ("ample.com", "h.example.com", 443, True),
        ("EXAMPLE.com:443", "h.example.com", 443, False),
        ("example.com:8443", "h.example.com", 443, True),
        ("other, example.com ", "example.com", 443, False),
        ("10.0.0.0/8", "10.1.2.3", 443, False),
        ("10.0.0.0/8", "11.1.2.3", 443, True),
        ("10.0.0.0/8", "ten.example.com", 443, True),
        ("fd00::/8", "fd00::1", 443, False),
        ("", "localhost", 443, False),
        ("", "127.0.0.5", 443, False),
        ("", "::1", 443, False),
        ("", "", 443, True),
        ("example.com", "", 443, True),
    ],
)
def test_no_proxy_is_heeded(excepted: str, host: str, port: int, goes: bool) -> None:
    environ = {"HTTPS_PROXY": "http://p:1", "NO_PROXY": excepted}
    found = proxy_from(environ, "https", host, port)
    assert found == ("http://p:1" if goes else "")


def test_each_scheme_has_its_own_proxy() -> None:
    environ = {"HTTPS_PROXY": "http://a:1", "http_proxy": "http://b:1"}
    assert proxy_from(environ, "https", "h", 443) == "http://a:1"
    assert proxy_from(environ, "http", "h", 80) == "http://b:1"
    assert proxy_from({}, "http", "h", 80) == ""


def test_a_wrong_variable_is_named() -> None:
    with pytest.raises(ValueError, match="HTTPS_PROXY of the environment"):
        proxy_from({"https_proxy": "socks5://p"}, "https", "h", 443)
