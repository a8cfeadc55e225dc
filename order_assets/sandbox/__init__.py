"""A stand-in Omnitron that ships with the package: a made-up shop behind the documented HTTP API.

For trying the package out, developing and testing against it, without a real instance and real customers.
`shop` says what there is, and takes changes by hand. Below it lie the reference data (`catalogue`, `goods`,
`payment_means`, `addresses`, `leaks`), what is drawn from a seed (`people`, `life`, `order_facts`, together `world`;
the vendor's own example is in `documented`), what it looks like (`order_json`, `lines`, `payment_story`, `gateways`),
what was done by hand (`edits`; odd values to be sent are in `oddities`) and which rows a list has (`listings`; lists of
rows below orders are in `sdk_lists`). Above it, `app` answers requests (with `request_guard` and `queries`), `server`
runs it, and `faults` with `misbehave` disturb it when asked. The client of the API is in `order_assets.omnitron`.
"""

from order_assets.sandbox.app import PASSWORD, USERNAME, create_app
from order_assets.sandbox.documented import DOCUMENTED_PK, documented_order
from order_assets.sandbox.edits import CHILD_KINDS, SPOILED
from order_assets.sandbox.faults import FAULTS, Faults
from order_assets.sandbox.leaks import known_secrets
from order_assets.sandbox.listings import DateBound, FlatQuery, OrderQuery
from order_assets.sandbox.oddities import LONE_SURROGATE, ODD_COPIES, ODD_ROWS
from order_assets.sandbox.request_guard import RequestLog, RequestRecord
from order_assets.sandbox.sdk_lists import SDK_LISTS
from order_assets.sandbox.server import Sandbox, SandboxError, running_sandbox, serve
from order_assets.sandbox.shop import CAPABILITIES, LACKS, MONEY_COLUMNS, VERSIONS, Shop, ShopSettings

__all__ = [
    "CAPABILITIES",
    "CHILD_KINDS",
    "DOCUMENTED_PK",
    "FAULTS",
    "LACKS",
    "LONE_SURROGATE",
    "MONEY_COLUMNS",
    "ODD_COPIES",
    "ODD_ROWS",
    "PASSWORD",
    "SDK_LISTS",
    "SPOILED",
    "USERNAME",
    "VERSIONS",
    "DateBound",
    "Faults",
    "FlatQuery",
    "OrderQuery",
    "RequestLog",
    "RequestRecord",
    "Sandbox",
    "SandboxError",
    "Shop",
    "ShopSettings",
    "create_app",
    "documented_order",
    "known_secrets",
    "running_sandbox",
    "serve",
]
