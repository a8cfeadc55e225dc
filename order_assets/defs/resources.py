"""What assets are given: the shop's API, the contract and its policy, the privacy settings, and the data root."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import dagster as dg
from pydantic import Field

from order_assets.contract import CONTRACT, Contract

if TYPE_CHECKING:
    from order_assets.landing import Instance, Privacy
    from order_assets.omnitron import OmnitronClient

# pyarrow, duckdb and requests are imported where they are used: loading the definitions has to stay quick.

_SECRET: dict[str, Any] = {"dagster__is_secret": True}
SANDBOX_URL = "sandbox"


class OmnitronResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The Omnitron instance. Without a URL the embedded sandbox serves, in this process."""

    url: str = Field(default="", description="Base URL of the instance; empty for the embedded sandbox")
    token: str = Field(default="", description="API token", repr=False, json_schema_extra=_SECRET)
    username: str = Field(default="", description="User to log in with, where there is no token", repr=False)
    password: str = Field(default="", description="Password of the user", repr=False, json_schema_extra=_SECRET)
    requests_per_second: float = Field(default=10.0, ge=0, description="Requests per second; 0 means no limit")
    max_concurrency: int = Field(default=8, ge=1, le=64, description="Requests in flight at a time")
    retries: int = Field(default=5, ge=0, description="Repeats of a call that failed in passing")
    max_document_mib: int = Field(default=32, ge=1, description="Largest answer that is accepted, in MiB")

    @contextmanager
    def client(self) -> Iterator[OmnitronClient]:
        """A client of the instance. Raises `OmnitronConfigError` for settings that cannot work."""
        from order_assets.omnitron import ClientSettings, OmnitronClient
        from order_assets.sandbox import PASSWORD, USERNAME, running_sandbox

        limits = {
            "requests_per_second": self.requests_per_second or None,
            "max_concurrency": self.max_concurrency,
            "retries": self.retries,
            "max_body_bytes": self.max_document_mib * 1024 * 1024,
        }
        if self.url:
            settings = ClientSettings(
                url=self.url,
                token=self.token or None,
                username=self.username or None,
                password=self.password or None,
                **limits,  # type: ignore[arg-type]
            )
            with OmnitronClient(settings) as client:
                yield client
            return
        with running_sandbox() as sandbox:
            settings = ClientSettings(url=sandbox.url, username=USERNAME, password=PASSWORD, **limits)  # type: ignore[arg-type]
            with OmnitronClient(settings) as client:
                yield client


class PrivacyResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """What happens to personal data before anything is stored."""

    mode: str = Field(default="tokenise", description="tokenise, clear or drop")
    key: str = Field(default="", description="Key of the tokens", repr=False, json_schema_extra=_SECRET)
    url: str = Field(default="", description="Base URL of the instance; the stand-in gets a key of its own")
    own_key_file: str = Field(default="", description="Where the key for an instance on this machine is kept")

    def check(self) -> None:
        """Make sure that the settings can be used; writes nothing. Raises `PrivacyError`."""
        from order_assets.landing import Privacy, PrivacyMode

        Privacy(PrivacyMode(self.mode), self.key or ("made when it is needed" if self._may_make_a_key() else ""))

    def privacy(self) -> Privacy:
        """The treatment of personal data. Raises `PrivacyError` where tokens need a key and there is none."""
        from order_assets.landing import Privacy, PrivacyMode, own_key

        makes_one = self.mode == PrivacyMode.TOKENISE and not self.key and self._may_make_a_key()
        return Privacy(PrivacyMode(self.mode), own_key(Path(self.own_key_file)) if makes_one else self.key)

    def _may_make_a_key(self) -> bool:
        from order_assets.omnitron.instance import host_of, is_loopback

        return not self.url or is_loopback(host_of(self.url))


class ContractResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """What an order is, and what happens when orders are not like that."""

    unknown_field: Literal["warn", "fail"] = Field(
        default="warn", description="When documents have a field that the contract does not know"
    )
    quarantine_warn_above: int = Field(default=0, ge=0, description="Refused orders of a day before a warning")
    quarantine_error_above_percent: float = Field(
        default=1.0,
        ge=0,
        le=100,
        description="Share of a day's orders that may be refused before it is an error",
    )

    unknown_value: Literal["warn", "ignore"] = Field(
        default="warn", description="When a column with known values has another"
    )
    missing_field: Literal["warn", "ignore"] = Field(
        default="warn", description="When documents lack a field that the vendor documents"
    )
    proof_sample_percent: float = Field(
        default=5.0,
        gt=0,
        le=100,
        description="Share of a day's orders whose every value is looked for in the tables; one order at least",
    )
    proof_sample_at_most: int = Field(default=20, ge=1, description="Orders of a day in that sample at most")

    def contract(self) -> Contract:
        """The contract in force."""
        return CONTRACT

    def version(self) -> str:
        """Its version."""
        from order_assets.contract.shape import contract_version

        return contract_version(self.contract())


class DataRootResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where the data lies, and whose it is."""

    path: str = Field(description="Folder that everything is written to")
    url: str = Field(default="", description="Base URL of the instance; empty for the embedded sandbox")
    timezone: str = Field(default="UTC", description="Business time zone")
    first_day: str = Field(default="2026-01-01", description="First day")

    def checked(self) -> Path:
        """The folder, after making sure that it belongs to this instance. Raises `DataRootError`."""
        from order_assets.landing import check

        root = Path(self.path)
        check(root, self.instance())
        return root

    def claimed(self) -> Path:
        """Like `checked`, and the folder is the instance's from now on."""
        from order_assets.landing import claim

        root = Path(self.path)
        claim(root, self.instance())
        return root

    def instance(self) -> Instance:
        """The instance that the data is of. Raises `OmnitronConfigError` for a URL that cannot be one."""
        from order_assets.landing import Instance
        from order_assets.omnitron.instance import normalise_url

        url = normalise_url(self.url) if self.url else SANDBOX_URL
        return Instance(url, self.timezone, date.fromisoformat(self.first_day))
