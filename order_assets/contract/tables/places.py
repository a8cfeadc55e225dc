"""Declares where orders go: addresses, the places in them, and the codes that other systems use for them."""

from order_assets.contract.model import (
    BIGINT,
    BOOLEAN,
    JSON,
    TEXT,
    Column,
    Document,
    Kind,
    Origin,
    Personal,
    Provenance,
    Source,
    Table,
    column,
    created_date,
    modified_date,
    pk,
)

_SEEN = Provenance.SEEN
_ADDRESSES = ("shipping_address", "billing_address")


def _in_addresses(inner: str = "", label: str = "") -> tuple[Source, ...]:
    return tuple(Source(Document.DETAIL, address + inner, label) for address in _ADDRESSES)


ADDRESSES = Table(
    name="addresses",
    description="Addresses that orders are sent or billed to",
    grain="one row per address and day",
    kind=Kind.DIMENSION,
    key=("pk",),
    sources=_in_addresses(),
    columns=(
        pk("address"),
        column("customer_pk", BIGINT, "Customer (customers.pk)", path="customer.pk", provenance=_SEEN),
        column("title", TEXT, "Title given by the customer", personal=Personal.ADDRESS),
        column("address_type", TEXT, "Kind of address", values=("customer", "company", "retail_store")),
        column("first_name", TEXT, "First name of the receiver", personal=Personal.NAME),
        column("last_name", TEXT, "Last name of the receiver", personal=Personal.NAME),
        column("email", TEXT, "E-mail of the receiver", personal=Personal.EMAIL),
        column("phone_number", TEXT, "Phone number of the receiver", personal=Personal.PHONE),
        column("line", TEXT, "Street, house and directions", personal=Personal.ADDRESS),
        column("postcode", TEXT, "Postcode"),
        column("country_pk", BIGINT, "Country (countries.pk)", path="country.pk"),
        column("city_pk", BIGINT, "City (cities.pk)", path="city.pk"),
        column("township_pk", BIGINT, "Township (townships.pk)", path="township.pk"),
        column("district_pk", BIGINT, "District (districts.pk)", path="district.pk"),
        column("company_name", TEXT, "Company name", personal=Personal.NAME),
        column("tax_office", TEXT, "Tax office"),
        column("tax_no", TEXT, "Tax or national identity number", personal=Personal.IDENTITY),
        column("identity_number", TEXT, "National identity number", provenance=_SEEN, personal=Personal.IDENTITY),
        column("e_bill_taxpayer", BOOLEAN, "Whether the receiver takes electronic invoices"),
        column("notes", TEXT, "Notes for the delivery", provenance=_SEEN, personal=Personal.TEXT),
        column(
            "hash_data",
            TEXT,
            "Digest of the address made by Omnitron",
            provenance=_SEEN,
            personal=Personal.ACCOUNT,
        ),
        column("retail_store_pk", BIGINT, "Retail store", path="retail_store", provenance=_SEEN),
        column("remote_id", TEXT, "Key of the address in an outside system", provenance=_SEEN),
        column("extra_field", JSON, "Free fields of the tenant", provenance=_SEEN),
        column("is_active", BOOLEAN, "Whether the address is in use", provenance=_SEEN),
        modified_date("address"),
        column(
            "created_date",
            created_date("address").type,
            "When the address was created, UTC",
            provenance=Provenance.OPENAPI,
        ),
    ),
)


def _place(name: str, what: str, path: str, *columns: Column) -> Table:
    return Table(
        name=name,
        description=f"{name.capitalize()} of addresses",
        grain=f"one row per {what} and day",
        kind=Kind.DIMENSION,
        key=("pk",),
        sources=_in_addresses(path),
        columns=(
            column("pk", BIGINT, f"Primary key of the {what}", required=True, provenance=_SEEN),
            column("name", TEXT, "Name", provenance=_SEEN),
            *columns,
            column("is_active", BOOLEAN, "Whether it can be chosen", provenance=_SEEN),
            modified_date(what),
            created_date(what),
        ),
    )


def _key(what: str, table: str) -> Column:
    return column(f"{what}_pk", BIGINT, f"{what.capitalize()} ({table}.pk)", path=what, provenance=_SEEN)


_POSTCODE = column("postcode", TEXT, "Postcode", provenance=_SEEN)
_TRANSLATIONS = column("translations", JSON, "Names by language", provenance=_SEEN)

COUNTRIES = _place(
    "countries",
    "country",
    ".country",
    column("code", TEXT, "ISO 3166 code in lower case", provenance=_SEEN),
    _TRANSLATIONS,
)
CITIES = _place(
    "cities",
    "city",
    ".city",
    _key("country", "countries"),
    column("priority", BIGINT, "Place in the list of cities", provenance=_SEEN),
    _POSTCODE,
    _TRANSLATIONS,
)
TOWNSHIPS = _place("townships", "township", ".township", _key("city", "cities"), _POSTCODE)
DISTRICTS = _place(
    "districts",
    "district",
    ".district",
    _key("city", "cities"),
    _key("township", "townships"),
    _POSTCODE,
    column("zipcode", TEXT, "Zip code", provenance=_SEEN),
)

INTEGRATION_MAPPINGS = Table(
    name="integration_mappings",
    description="Codes that outside systems use for orders, addresses and places",
    grain="one row per mapping and day",
    kind=Kind.DIMENSION,
    key=("pk",),
    sources=(
        Source(Document.DETAIL, "mapping[]", "order"),
        *_in_addresses(".mapping[]", "address"),
        *_in_addresses(".country.mapping[]", "country"),
        *_in_addresses(".city.mapping[]", "city"),
        *_in_addresses(".township.mapping[]", "township"),
        *_in_addresses(".district.mapping[]", "district"),
    ),
    columns=(
        column("pk", BIGINT, "Primary key of the mapping", required=True, provenance=_SEEN),
        column(
            "owner_type",
            TEXT,
            "What is mapped",
            required=True,
            values=("order", "address", "country", "city", "township", "district"),
            provenance=Provenance.DERIVED,
            origin=Origin.LABEL,
        ),
        column(
            "owner_pk",
            BIGINT,
            "Key of what is mapped, in the table of its type",
            path="pk",
            required=True,
            provenance=Provenance.DERIVED,
            origin=Origin.OWNER,
        ),
        column(
            "content_type",
            BIGINT,
            "Omnitron's number for the kind of object; differs between instances",
            provenance=_SEEN,
        ),
        column("object_id", BIGINT, "Key of what is mapped, as the mapping says it", provenance=_SEEN),
        column("integration_type", TEXT, "Outside system", provenance=Provenance.OPENAPI),
        column("code", TEXT, "Code in the outside system", provenance=_SEEN),
        modified_date("mapping"),
        created_date("mapping"),
    ),
)

DIMENSIONS = (ADDRESSES, COUNTRIES, CITIES, TOWNSHIPS, DISTRICTS)
