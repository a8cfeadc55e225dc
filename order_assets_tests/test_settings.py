"""Settings that say how the shop is treated: what users write is what runs get."""

from pathlib import Path

import pytest

from order_assets.defs.build import build_definitions
from order_assets.defs.resources import DataRootResource, OmnitronResource, SyncRulesResource
from order_assets.settings import VARIABLES, Settings, SettingsError, read_settings

SHOP = {"OMNITRON_URL": "https://shop.example"}


@pytest.mark.parametrize(
    ("given", "folder"),
    [
        ({"ORDER_ASSETS_BUDGET_DIR": "/var/lib/orders", "XDG_STATE_HOME": "/state"}, Path("/var/lib/orders")),
        ({"XDG_STATE_HOME": "/state"}, Path("/state/order_assets")),
        ({"XDG_STATE_HOME": "relative"}, Path.home() / ".local/state/order_assets"),
        ({}, Path.home() / ".local/state/order_assets"),
    ],
)
def test_the_shared_budget_lies_where_state_of_a_user_lies(given: dict[str, str], folder: Path) -> None:
    assert read_settings(SHOP | given).budget_directory == folder


def test_the_embedded_sandbox_shares_its_budget_with_nobody() -> None:
    assert read_settings({"ORDER_ASSETS_BUDGET_DIR": "/var/lib/orders"}).budget_directory is None


def test_quiet_hours_that_cannot_be_read_are_refused_by_name() -> None:
    with pytest.raises(SettingsError, match=r"ORDER_ASSETS_QUIET_HOURS.*22:00-06:00"):
        read_settings(SHOP | {"ORDER_ASSETS_QUIET_HOURS": "at night"})


def test_schedules_tick_when_the_settings_say_so() -> None:
    given = SHOP | {"ORDER_ASSETS_SYNC_CRON": "5,35 8-18/2 * * MON-FRI", "ORDER_ASSETS_NIGHTLY_CRON": "0 4 * * *"}
    schedules = {schedule.name: schedule for schedule in build_definitions(read_settings(given)).schedules or []}
    assert {name: schedule.cron_schedule for name, schedule in schedules.items()} == {
        "sync_index_regularly": "5,35 8-18/2 * * MON-FRI",
        "read_again_nightly": "0 4 * * *",
    }


@pytest.mark.parametrize("name", ["ORDER_ASSETS_SYNC_CRON", "ORDER_ASSETS_NIGHTLY_CRON"])
@pytest.mark.parametrize(
    "text",
    ["nightly", "* * * *", "60 2 * * *", "0 2 31 2 *", "*/0 * * * *", "0 2-x * * *"],
)
def test_cron_expressions_that_cannot_be_read_are_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is .*cron expression such as"):
        build_definitions(read_settings(SHOP | {name: text}))


@pytest.mark.parametrize(
    ("quiet_hours", "cron"),
    [("22:00-06:00", "0 6 * * *"), ("01:00-02:30", "30 2 * * *"), ("02:00-02:40,02:40-03:15", "15 3 * * *")],
)
def test_the_night_ends_with_the_quiet_hours(quiet_hours: str, cron: str) -> None:
    assert read_settings(SHOP | {"ORDER_ASSETS_QUIET_HOURS": quiet_hours}).nightly_cron == cron


def test_a_schedule_that_could_never_run_for_quiet_hours_is_refused() -> None:
    given = SHOP | {"ORDER_ASSETS_QUIET_HOURS": "22:00-06:00"}
    with pytest.raises(SettingsError, match=r"ORDER_ASSETS_NIGHTLY_CRON.*ORDER_ASSETS_QUIET_HOURS \(22:00-06:00\)"):
        build_definitions(read_settings(given | {"ORDER_ASSETS_NIGHTLY_CRON": "*/20 23,0-5 * * *"}))
    assert build_definitions(read_settings(given | {"ORDER_ASSETS_NIGHTLY_CRON": "0 0-6 * * *"}))


def test_runs_get_the_budget_and_the_quiet_hours_of_the_settings(tmp_path: Path) -> None:
    given = {
        "OMNITRON_URL": "http://127.0.0.1:9",
        "ORDER_ASSETS_BUDGET_DIR": str(tmp_path / "state"),
        "ORDER_ASSETS_QUIET_HOURS": "22:00-06:00",
        "ORDER_ASSETS_TIMEZONE": "Europe/Istanbul",
    }
    resource = (build_definitions(read_settings(given)).resources or {})["omnitron"]
    assert isinstance(resource, OmnitronResource)
    with resource.model_copy(update={"token": "t"}).client() as client:
        assert client.settings.budget_directory == tmp_path / "state"
        quiet = client.settings.quiet_hours
        assert quiet is not None
        assert quiet.zone.key == "Europe/Istanbul"
    assert len(list((tmp_path / "state").iterdir())) == 1


def test_all_settings_that_cannot_be_used_are_named_at_once_and_no_secret_is() -> None:
    given = {
        "OMNITRON_URL": "https://shop.example/api/v1/orders/?key=s3cr3tvalue",
        "OMNITRON_TOKEN": "Token s3cr3tvalue",
        "OMNITRON_API": "v2",
        "ORDER_ASSETS_PII_KEY": "abcde",
        "ORDER_ASSETS_PII": "tokenize",
        "ORDER_ASSETS_TIMEZONE": "Europe/Istambul",
        "ORDER_ASSETS_START_DATE": "2999-01-01",
        "ORDER_ASSETS_REQUESTS_PER_SECOND": "-1",
        "ORDER_ASSETS_MAX_CONCURRENCY": "1e9",
        "ORDER_ASSETS_DATA": "s3://bucket/prefix",
        "ORDER_ASSETS_KEEP_VERSIONS_DAYS": "inf",
        "ORDER_ASSETS_ALERT_WEBHOOK": "http://hooks.example/s3cr3tvalue",
    }
    with pytest.raises(SettingsError) as refused:
        read_settings(given)
    said = str(refused.value)
    assert [name for name in given if name not in said] == []
    for hint in ("mean tokenise?", "mean Europe/Istanbul?", "i1, v1", "leave it out", "16 characters"):
        assert hint in said
    assert "s3cr3tvalue" not in said
    assert "abcde" not in said


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("OMNITRON_ULR", "OMNITRON_URL"),
        ("OMNITRON_HOST", "OMNITRON_URL"),
        ("OMINTRON_URL", "OMNITRON_URL"),
        ("omnitron_url", "OMNITRON_URL"),
        ("OMNITRON_USER", "OMNITRON_USERNAME"),
        ("OMNITRON_API_KEY", "OMNITRON_TOKEN"),
        ("ORDER_ASSETS_TIMZONE", "ORDER_ASSETS_TIMEZONE"),
        ("ORDER_ASSETS_DATA_DIR", "ORDER_ASSETS_DATA"),
        ("ORDER_ASSET_START_DATE", "ORDER_ASSETS_START_DATE"),
        ("ORDER_ASSETS_REQUEST_PER_SECOND", "ORDER_ASSETS_REQUESTS_PER_SECOND"),
        ("ORDER_ASSETS_BUGDET_DIR", "ORDER_ASSETS_BUDGET_DIR"),
    ],
)
def test_a_misspelt_variable_is_refused_with_the_one_that_was_meant(name: str, meant: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is no setting; did you mean {meant}\\?"):
        read_settings({name: "anything"})


def test_variables_that_are_nobodys_break_nothing_and_are_named() -> None:
    foreign = {
        "ORDER_ASSETS_TEST_KILLS": "3",
        # As Kubernetes sets them for a service called omnitron.
        "OMNITRON_SERVICE_HOST": "10.0.0.1",
        "OMNITRON_PORT": "tcp://10.0.0.1:80",
        "ORDER_ASSETS_PORT_3000_TCP_ADDR": "10.0.0.2",
        "OMNIBUS_URL": "https://other.example",
        "ORACLE_HOME": "/opt/oracle",
        "PATH": "/usr/bin",
    }
    notes = read_settings(foreign | {"OMNITRON_URL": ""}).notes
    assert len(notes) == 1
    assert notes[0].startswith("ORDER_ASSETS_TEST_KILLS is set and is no setting")


@pytest.mark.parametrize("given", [{"OMNITRON_TOKEN": "t0ken"}, {"OMNITRON_USERNAME": "u", "OMNITRON_PASSWORD": "p"}])
def test_credentials_without_an_instance_never_lead_to_the_invented_shop(given: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="set, but OMNITRON_URL is not"):
        read_settings(given)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "no credentials.*OMNITRON_TOKEN"),
        ({"OMNITRON_USERNAME": "u"}, "set OMNITRON_PASSWORD too"),
        ({"OMNITRON_TOKEN": "t0ken"}, "needs a key: set ORDER_ASSETS_PII_KEY"),
    ],
)
def test_what_a_run_needs_is_asked_for_before_it_begins_and_not_of_who_only_reads(
    given: dict[str, str], says: str
) -> None:
    assert read_settings(SHOP | given).url == SHOP["OMNITRON_URL"]
    with pytest.raises(SettingsError, match=says):
        read_settings(SHOP | given, asks_shop=True)


def test_blanks_around_values_and_empty_values_do_no_harm() -> None:
    given = {
        "OMNITRON_URL": " https://shop.example/ \n",
        "OMNITRON_TOKEN": "t0ken\n",
        "ORDER_ASSETS_TIMEZONE": " Europe/Istanbul ",
        "ORDER_ASSETS_START_DATE": "2026-02-01\n",
        "ORDER_ASSETS_WHOLE_LISTING_HOURS": "0.0",
        "ORDER_ASSETS_MAX_CONCURRENCY": "",
    }
    settings = read_settings(given)
    assert (settings.url, settings.timezone.key) == ("https://shop.example", "Europe/Istanbul")
    assert settings.first_day.isoformat() == "2026-02-01"
    assert (settings.whole_listing_hours, settings.max_concurrency) == (0.0, 8)


def test_the_budget_is_kept_with_the_data_where_there_is_no_home_folder_to_write_to(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", "/nonexistent")
    settings = read_settings({"OMNITRON_URL": "https://omnitron.example.com", "ORDER_ASSETS_DATA": str(tmp_path)})
    assert settings.budget_directory == tmp_path / "budget"


def test_the_budget_is_kept_in_a_home_folder_that_can_be_written_to(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = read_settings({"OMNITRON_URL": "https://omnitron.example.com"})
    assert settings.budget_directory == tmp_path / ".local/state/order_assets"


@pytest.mark.parametrize("version", ["v1.0.0", "v1.5.0", "V2.0.0"])
def test_a_storage_version_is_one_that_duckdb_tells_apart(version: str) -> None:
    assert read_settings({"ORDER_ASSETS_STORAGE_VERSION": version}).storage_version == version.lower()
    with pytest.raises(SettingsError, match=r"ORDER_ASSETS_STORAGE_VERSION is '1\.2'; it takes v1\.0\.0, v1\.2\.0"):
        read_settings({"ORDER_ASSETS_STORAGE_VERSION": "1.2"})


def test_the_table_of_settings_in_the_docs_is_the_model_and_each_default_stands_once() -> None:
    rows = [
        f"| `{variable}` | {line.description} | {line.json_schema_extra['unset']} |"
        for field, variable in VARIABLES.items()
        if isinstance((line := Settings.model_fields[field]).json_schema_extra, dict)
    ]
    page = Path(__file__).parents[1].joinpath("docs", "settings.md").read_text(encoding="utf-8")
    table = page[page.index("| variable | meaning | default |") :].split("\n\n")[0].splitlines()
    assert table[2:] == rows


def test_a_resource_that_is_made_without_the_environment_has_the_defaults_of_the_settings(tmp_path: Path) -> None:
    settings = Settings()
    assert OmnitronResource().requests_per_second == settings.requests_per_second
    assert SyncRulesResource().reread_open_days == settings.reread_open_days
    assert DataRootResource(path=str(tmp_path)).first_day == settings.first_day.isoformat()


def test_no_secret_is_seen_where_settings_are_printed() -> None:
    given = SHOP | {"OMNITRON_TOKEN": "s3cr3tvalue", "ORDER_ASSETS_PII_KEY": "another-s3cr3tvalue"}
    settings = read_settings(given)
    assert "s3cr3tvalue" not in f"{settings!r} {settings} {settings.model_dump()}"
