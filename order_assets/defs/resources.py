"""What assets are given: the shop's API, the contract and its policy, the privacy settings, and the data root."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, cast, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import dagster as dg
from pydantic import AfterValidator, Field, SecretStr

from order_assets.core.quiet_hours import QuietHours, parse_quiet_hours
from order_assets.settings import VARIABLES, Settings

if TYPE_CHECKING:
    from order_assets.contract import Contract
    from order_assets.landing import Instance, Reread
    from order_assets.omnitron import OmnitronClient
    from order_assets.pipeline.pipeline import Pipeline
    from order_assets.pipeline.sync import SyncRules
    from order_assets.redaction import Privacy
    from order_assets.warehouse.marts import Marts

# pyarrow, duckdb and requests are imported where they are used: loading the definitions has to stay quick.

# The launchpad writes this in place of what a schema calls a secret, and a run that is launched takes it for the value.
# So secrets are given as names of variables here, which may be seen, and no field is called one.
_MASK = "********"
# Where a field says which setting it is of.
_SETTING = "setting"
AResource = TypeVar("AResource", bound=dg.ConfigurableResource)  # type: ignore[type-arg]


def _no_mask(value: str) -> str:
    if value == _MASK:
        raise ValueError(
            "a mask stands where a secret belongs, as an old tab of the launchpad has it: remove `resources` from the "
            "run's config and launch again"
        )
    return value


Secret = Annotated[str, AfterValidator(_no_mask)]


def from_setting(name: str, *, extra: Mapping[str, Any] | None = None, **limits: Any) -> Any:
    """A resource's field that has its default and its description from the setting of this name.

    A setting whose default is made when it is read, such as a folder, has to be given, unless `default` stands for it.
    """
    line = Settings.model_fields[name]
    if not line.default_factory:
        limits["default"] = _in_config(line.default)
    return Field(description=line.description, json_schema_extra={_SETTING: name, **(extra or {})}, **limits)


def resource_from(kind: type[AResource], settings: Settings, prefix: str = "") -> AResource:
    """A resource whose fields have the values of the settings that they were declared from.

    Secrets are read when a run needs them, from their variables with the `prefix`.
    """
    taken: dict[str, Any] = {}
    for field, line in kind.model_fields.items():
        if isinstance(line.json_schema_extra, dict) and (name := str(line.json_schema_extra.get(_SETTING, ""))):
            value = getattr(settings, name)
            if SecretStr in get_args(Settings.model_fields[name].annotation):
                # Dagster shows the name of an EnvVar and never its value; one that is not set cannot be used at all.
                variable = prefix + VARIABLES[name]
                taken[field] = dg.EnvVar(variable) if os.environ.get(variable) else ""
            else:
                taken[field] = 0.0 if value is None and line.annotation is float else _in_config(value)
    return kind(**taken)


def ready(kind: type[AResource], settings: Settings) -> AResource:
    """Like `resource_from`, secrets read from the environment, for use outside of a run."""
    return cast("AResource", resource_from(kind, settings).process_config_and_initialize())


def _in_config(value: object) -> Any:
    """A setting as a run's config has it; nothing is an empty text."""
    if isinstance(value, str | int | float):
        return value
    return "" if value is None else str(value)


class OmnitronResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The Omnitron instance. Without a URL the embedded sandbox serves, in this process."""

    url: str = from_setting("url")
    token: Secret = from_setting("token", repr=False)
    username: str = from_setting("username", repr=False)
    password: Secret = from_setting("password", repr=False)
    requests_per_second: float = from_setting("requests_per_second", ge=0)
    max_concurrency: int = from_setting("max_concurrency", ge=1, le=64)
    retries: int = Field(default=5, ge=0, description="Repeats of a call that failed in passing")
    budget_directory: str = from_setting("budget_directory")
    budget: Secret = from_setting("budget", repr=False)
    api: str = from_setting("api")
    quiet_hours: str = from_setting("quiet_hours")
    timezone: str = from_setting("timezone")
    max_document_mib: int = Field(default=32, ge=1, description="Largest answer that is accepted, in MiB")

    def client(self) -> AbstractContextManager[OmnitronClient]:
        """A client of the instance. Raises `OmnitronConfigError` for settings that cannot work."""
        from order_assets.pipeline.connect import open_client

        given = {
            name: getattr(self, name) for name in type(self).model_fields if name not in ("quiet_hours", "timezone")
        }
        return open_client(quiet_hours=self._quiet_hours(), **given)

    def _quiet_hours(self) -> QuietHours | None:
        from order_assets.omnitron import OmnitronConfigError

        try:
            return parse_quiet_hours(self.quiet_hours, ZoneInfo(self.timezone)) if self.quiet_hours else None
        except (ValueError, ZoneInfoNotFoundError) as error:
            raise OmnitronConfigError(f"The quiet hours {self.quiet_hours!r} cannot be used: {error}.") from None


class PrivacyResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """What happens to personal data before anything is stored."""

    mode: str = from_setting("pii")
    key: Secret = from_setting("pii_key", repr=False)
    url: str = from_setting("url")
    data_root: str = from_setting("data_root", default="")

    def check(self) -> None:
        """Make sure that the settings can be used; writes nothing. Raises `PrivacyError`."""
        from order_assets.pipeline.connect import check_privacy

        check_privacy(self.mode, self.key, self.url)

    def privacy(self) -> Privacy:
        """The treatment of personal data. Raises `PrivacyError` where tokens need a key and there is none."""
        from order_assets.pipeline.connect import privacy_of

        return privacy_of(self.mode, self.key, self.url, Path(self.data_root))

    def policy(self) -> str:
        """The policy that a run would store orders under; makes no key. Raises `PrivacyError`."""
        from order_assets.pipeline.connect import privacy_policy

        return privacy_policy(self.mode, self.key, self.url, Path(self.data_root))


class ContractResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """What happens when orders are not as the contract says."""

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

    def ignored(self) -> frozenset[str]:
        """The rules whose findings pass."""
        severities = {"values_are_known": self.unknown_value, "documented_fields_present": self.missing_field}
        return frozenset(rule for rule, severity in severities.items() if severity == "ignore")


class DataRootResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where the data lies, and whose it is."""

    path: str = from_setting("data_root")
    url: str = from_setting("url")
    timezone: str = from_setting("timezone")
    first_day: str = from_setting("first_day")
    storage_version: str = from_setting("storage_version")
    prices_include_tax: str = from_setting("prices_include_tax")
    quantity_attribute: str = from_setting("quantity_attribute")

    def check_root(self) -> Path:
        """The folder, after making sure that it belongs to this instance. Raises `DataRootError`."""
        from order_assets.landing import check

        root = Path(self.path)
        check(root, self.instance())
        return root

    def instance(self) -> Instance:
        """The instance that the data is of. Raises `OmnitronConfigError` for a URL that cannot be one."""
        from order_assets.pipeline.connect import instance_of

        return instance_of(self.url, self.timezone, date.fromisoformat(self.first_day))


class SyncRulesResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """How everything is kept up to date, beyond what the order's own clock shows. Zero switches a rule off."""

    overlap_minutes: float = Field(default=10, ge=0, description="Changes read again below the last listing's end")
    settle_seconds: float = Field(default=60, ge=0, description="How far the cursor stays below the server's clock")
    whole_listing_hours: float = from_setting("whole_listing_hours", ge=0)
    order_transactions: bool = Field(
        default=True, description="Look for new and changed transactions, where their lists can be filtered"
    )
    reread_open_hours: float = from_setting("reread_open_hours", ge=0)
    reread_open_days: int = from_setting("reread_open_days", ge=0)
    reread_recent_hours: float = from_setting("reread_recent_hours", ge=0)
    reread_recent_days: int = from_setting("reread_recent_days", ge=0)
    sweep_weeks: int = from_setting("sweep_weeks", ge=0)
    sweep_days: int = Field(default=365, ge=1, description="... if it was placed in the last so many days")
    fresh_within_hours: float = Field(
        default=24, gt=0, description="The newest day is late when an order placed this long ago is not landed"
    )
    keep_versions_days: int = from_setting("keep_versions_days", ge=0)

    def rules(self) -> SyncRules:
        """The rules for the index."""
        from order_assets.omnitron.incremental_listing import Margins
        from order_assets.pipeline.connect import hours_or_never
        from order_assets.pipeline.sync import SyncRules

        margins = Margins(timedelta(minutes=self.overlap_minutes), timedelta(seconds=self.settle_seconds))
        return SyncRules(margins, hours_or_never(self.whole_listing_hours), self.order_transactions)

    def reread(self, *, sweep: bool = False) -> Reread:
        """Which orders are read again without a change in the list, with the slow sweep or without."""
        from order_assets.pipeline.connect import reread_of

        policy = reread_of(self)
        if not (sweep and self.sweep_weeks):
            return policy
        return replace(policy, sweep_every=timedelta(weeks=self.sweep_weeks), sweep_days=self.sweep_days)

    def keep_versions(self) -> timedelta | None:
        """How long documents of older versions are kept; None for ever."""
        return timedelta(days=self.keep_versions_days) if self.keep_versions_days else None


def pipeline_of(
    contract: Contract,
    marts: Marts,
    data_root: DataRootResource,
    *,
    omnitron: OmnitronResource | None = None,
    privacy: PrivacyResource | None = None,
    sync_rules: SyncRulesResource | None = None,
    policy: ContractResource | None = None,
) -> Pipeline:
    """The pipeline of these resources; what a step does not use may be None. Raises `DataRootError`."""
    from order_assets.pipeline.pipeline import Pipeline

    given: dict[str, Any] = {}
    if sync_rules:
        given |= {
            "sync_rules": sync_rules.rules(),
            "reread": sync_rules.reread(),
            "keep_versions": sync_rules.keep_versions(),
        }
    if policy:
        given |= {
            "sample_percent": policy.proof_sample_percent,
            "sample_at_most": policy.proof_sample_at_most,
            "ignored": policy.ignored(),
        }
    return Pipeline(
        data_root.check_root(),
        data_root.instance(),
        omnitron.client if omnitron else _not_given,
        privacy.privacy if privacy else _not_given,
        privacy.policy if privacy else _not_given,
        contract=contract,
        marts=marts,
        storage_version=data_root.storage_version,
        prices_include_tax=data_root.prices_include_tax,
        quantity_attribute=data_root.quantity_attribute,
        **given,
    )


def _not_given() -> Any:
    raise RuntimeError("the step uses a resource that it did not name")
