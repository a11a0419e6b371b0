"""
The configuration of each proxy, as text.

nginx and Envoy are set up as bare streaming proxies, at their best: nothing buffered,
nothing logged, connections kept on both sides. aigw and the other gateways do the work
they are there for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .cases import Setup

_POOLED = 512  # idle upstream connections kept, for all that can be told
_MANY = 1_000_000

#: The key that load.c sends, for those that refuse to serve without one.
CLIENT_KEY = "sk-test-1234567890abcdef"


@dataclass(frozen=True, slots=True)
class Wiring:
    """
    Where a proxy listens and where it goes.

    :ivar port: the loopback port it serves.
    :ivar upstream: the loopback port of the mock provider, or of its TLS edge.
    :ivar folder: where its files are.
    :ivar tls: the folder of ``cert.pem`` and ``key.pem``.
    """

    port: int
    upstream: int
    setup: Setup
    folder: Path
    tls: Path

    @property
    def workers(self) -> int:
        return 2 if self.setup is Setup.WORKERS_2 else 1

    @property
    def tls_client(self) -> bool:
        return self.setup is Setup.TLS_CLIENT

    @property
    def tls_provider(self) -> bool:
        return self.setup is Setup.TLS_PROVIDER

    @property
    def origin(self) -> str:
        """The provider's scheme and address."""
        scheme = "https" if self.tls_provider else "http"
        return f"{scheme}://127.0.0.1:{self.upstream}"


def nginx(wiring: Wiring, user: str) -> str:
    """``nginx.conf``; ``user`` is who its workers run as, where root starts it."""
    listen = f"127.0.0.1:{wiring.port}" + (" ssl" if wiring.tls_client else "")
    return f"""\
{f"user {user};" if user else ""}
daemon off;
worker_processes {wiring.workers};
error_log stderr warn;
pid {wiring.folder}/nginx.pid;
events {{ worker_connections 32768; }}
http {{
    access_log off;
    client_body_temp_path {wiring.folder}/body;
    proxy_temp_path {wiring.folder}/proxy;
    fastcgi_temp_path {wiring.folder}/fastcgi;
    uwsgi_temp_path {wiring.folder}/uwsgi;
    scgi_temp_path {wiring.folder}/scgi;
    upstream provider {{
        server 127.0.0.1:{wiring.upstream};
        keepalive {_POOLED};
        keepalive_requests {_MANY};
    }}
    server {{
        listen {listen} backlog=8192;
        ssl_certificate {wiring.tls}/cert.pem;
        ssl_certificate_key {wiring.tls}/key.pem;
        keepalive_requests {_MANY};
        client_max_body_size 16m;
        location / {{
            proxy_pass {"https" if wiring.tls_provider else "http"}://provider;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_buffering off;
            proxy_request_buffering off;
            proxy_read_timeout 2h;
            proxy_ssl_verify on;
            proxy_ssl_name localhost;
            proxy_ssl_trusted_certificate {wiring.tls}/cert.pem;
        }}
    }}
}}
"""


def envoy(wiring: Wiring) -> str:
    """Envoy's bootstrap, as JSON, which its YAML parser reads."""
    tls = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3."
    pem = {name: {"filename": f"{wiring.tls}/{name}.pem"} for name in ("cert", "key")}
    address = {"address": "127.0.0.1"}
    http = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network."
        "http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bench",
        "codec_type": "HTTP1",
        "generate_request_id": False,
        "stream_idle_timeout": "0s",
        "request_timeout": "0s",
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.http."
                    "router.v3.Router",
                    "suppress_envoy_headers": True,
                },
            }
        ],
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [
                        {
                            "match": {"prefix": "/"},
                            "route": {"cluster": "provider", "timeout": "0s"},
                        }
                    ],
                }
            ]
        },
    }
    chain: dict[str, Any] = {
        "filters": [
            {
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": http,
            }
        ]
    }
    if wiring.tls_client:
        chain["transport_socket"] = {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": tls + "DownstreamTlsContext",
                "common_tls_context": {
                    "tls_certificates": [
                        {"certificate_chain": pem["cert"], "private_key": pem["key"]}
                    ]
                },
            },
        }
    cluster: dict[str, Any] = {
        "name": "provider",
        "type": "STATIC",
        "connect_timeout": "5s",
        "circuit_breakers": {
            "thresholds": [
                {
                    "max_connections": _MANY,
                    "max_pending_requests": _MANY,
                    "max_requests": _MANY,
                }
            ]
        },
        "load_assignment": {
            "cluster_name": "provider",
            "endpoints": [
                {
                    "lb_endpoints": [
                        {
                            "endpoint": {
                                "address": {
                                    "socket_address": {
                                        **address,
                                        "port_value": wiring.upstream,
                                    }
                                }
                            }
                        }
                    ]
                }
            ],
        },
    }
    if wiring.tls_provider:
        cluster["transport_socket"] = {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": tls + "UpstreamTlsContext",
                "sni": "localhost",
                "common_tls_context": {
                    "validation_context": {"trusted_ca": pem["cert"]}
                },
            },
        }
    listener = {
        "name": "clients",
        "address": {"socket_address": {**address, "port_value": wiring.port}},
        "filter_chains": [chain],
    }
    bootstrap = {"static_resources": {"listeners": [listener], "clusters": [cluster]}}
    return json.dumps(bootstrap, indent=1)


def aigw(wiring: Wiring, admin: int) -> str:
    """
    aigw's configuration, as JSON, which is YAML too.

    All gateway work is on: routing, the provider's credential put in place of the
    client's, usage asked for and metered, the access log written to a file.

    :param admin: the port for health and metrics.
    """
    listen = f"tcp:{wiring.port}:interface=127.0.0.1:backlog=8192"
    if wiring.tls_client:
        listen = (
            f"ssl:{wiring.port}:interface=127.0.0.1:backlog=8192"
            f":privateKey={wiring.tls}/key.pem:certKey={wiring.tls}/cert.pem"
        )
    proxy: dict[str, Any] = {
        "keepalive_pool": _POOLED,
        "timeout": 600000,
    }
    if wiring.setup is Setup.EVENTSTREAM:
        uri = "/model/*"
        proxy |= {
            "provider": "bedrock",
            "provider_conf": {"region": "us-east-1"},
            "auth": {
                "aws": {"access_key_id": "AKIDEXAMPLE", "secret_access_key": "example"}
            },
            "override": {"endpoint": wiring.origin},
        }
    else:
        uri = (
            "/v1/messages"
            if wiring.setup is Setup.CONVERSION
            else "/v1/chat/completions"
        )
        proxy |= {
            "provider": "openai-compatible",
            "auth": {"header": {"Authorization": "Bearer sk-upstream"}},
            "override": {"endpoint": f"{wiring.origin}/v1/chat/completions"},
        }
    if wiring.tls_provider:
        proxy["tls"] = {"ca_file": f"{wiring.tls}/cert.pem"}
    if wiring.setup is Setup.PAYLOADS:
        proxy["logging"] = {"payloads": True}
    if wiring.setup is Setup.HEARTBEAT:
        proxy["heartbeat_interval_ms"] = 1000
    plugins = {"ai-proxy": proxy}
    if wiring.setup is Setup.SEVERAL:
        plugins = {"ai-proxy-multi": _several(proxy)}
    route = {"uri": uri, "methods": ["POST"], "plugins": plugins}
    access = {"path": f"{wiring.folder}/access.log"}
    settings = {
        "server": {
            "listen": [listen],
            "workers": wiring.workers,
            "max_connections": 20000,
            "graceful_timeout_ms": 0,
        },
        "admin": {"listen": [f"tcp:{admin}:interface=127.0.0.1"]},
        "log": {
            "access": None if wiring.setup is Setup.NO_LOG else access,
            "level": "warn",
        },
        "routes": [{"id": "bench", **route}],
    }
    return json.dumps(settings, indent=1)


def _several(proxy: dict[str, Any]) -> dict[str, Any]:
    """Two instances of the same provider, and what several make possible."""
    own = ("provider", "auth", "override")
    shared = {name: value for name, value in proxy.items() if name not in own}
    one = {"weight": 1} | {name: proxy[name] for name in own}
    return shared | {
        "balancer": {"algorithm": "roundrobin"},
        "fallback_strategy": ["http_429", "http_5xx"],
        "breaker": {},
        "instances": [one | {"name": "first"}, one | {"name": "second"}],
    }


def litellm(wiring: Wiring) -> str:
    """LiteLLM's configuration, as JSON, which is YAML too."""
    provider = {
        "model": "openai/*",
        "api_base": f"{wiring.origin}/v1",
        "api_key": "sk-upstream",
    }
    settings = {
        "model_list": [{"model_name": "*", "litellm_params": provider}],
        "general_settings": {"master_key": CLIENT_KEY},
        "litellm_settings": {"telemetry": False, "num_retries": 0},
    }
    return json.dumps(settings, indent=1)
