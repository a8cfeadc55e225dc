"""Declares who takes part in an order: the customer and the sales channel."""

from order_assets.contract.model import (
    BIGINT,
    BOOLEAN,
    DATE,
    JSON,
    TEXT,
    TIMESTAMP,
    Document,
    Kind,
    Personal,
    Provenance,
    Secret,
    Source,
    Table,
    column,
    created_date,
    modified_date,
)

# Shops and marketplaces among the integrations that the vendor names.
CHANNEL_TYPES = (
    "web",
    "sales_channel",
    "hepsiburada",
    "n11",
    "gittigidiyor",
    "trendyol",
    "morhipo",
    "amazon",
    "allegro",
    "aliexpress",
    "emag",
    "ciceksepeti",
    "pazarama",
    "flo",
    "modanisa",
)
_SEEN = Provenance.SEEN
_OPENAPI = Provenance.OPENAPI

CUSTOMERS = Table(
    name="customers",
    description="Customers of orders and of their addresses",
    grain="one row per customer and day",
    kind=Kind.DIMENSION,
    key=("pk",),
    sources=(
        Source(Document.DETAIL, "customer"),
        Source(Document.DETAIL, "shipping_address.customer"),
        Source(Document.DETAIL, "billing_address.customer"),
    ),
    columns=(
        column("pk", BIGINT, "Primary key of the customer", required=True, provenance=_SEEN),
        column("channel_pk", BIGINT, "Sales channel (channels.pk)", path="channel", provenance=_SEEN),
        column("email", TEXT, "E-mail", provenance=_SEEN, personal=Personal.EMAIL),
        column("first_name", TEXT, "First name", provenance=_SEEN, personal=Personal.NAME),
        column("last_name", TEXT, "Last name", provenance=_SEEN, personal=Personal.NAME),
        column("phone_number", TEXT, "Phone number", provenance=_SEEN, personal=Personal.PHONE),
        column("is_active", BOOLEAN, "Whether the account is in use", provenance=_SEEN),
        column("channel_code", TEXT, "Key of the customer in the channel", provenance=_SEEN),
        column("erp_code", TEXT, "Key of the customer in the ERP", provenance=_SEEN),
        column("user_type", TEXT, "Kind of account", provenance=_SEEN, values=("guest", "registered")),
        column("gender", TEXT, "Gender", provenance=_SEEN, personal=Personal.GENDER),
        column("date_of_birth", DATE, "Date of birth", provenance=_SEEN, personal=Personal.BIRTH),
        column("date_joined", TIMESTAMP, "When the account was opened, UTC", provenance=_SEEN),
        column("email_allowed", BOOLEAN, "Consent to e-mails", provenance=_SEEN),
        column("sms_allowed", BOOLEAN, "Consent to text messages", provenance=_SEEN),
        column("call_allowed", BOOLEAN, "Consent to calls", provenance=_SEEN),
        column("extra_field", JSON, "Free fields of the tenant", provenance=_SEEN),
        column("attributes", JSON, "Attributes", provenance=_SEEN),
        column("attributes_kwargs", JSON, "Attributes with their labels", provenance=_OPENAPI),
        column("localized_attributes", JSON, "Attributes by language", provenance=_OPENAPI),
        column(
            "localized_attributes_kwargs",
            JSON,
            "Attributes with their labels by language",
            provenance=_OPENAPI,
        ),
        modified_date("customer"),
        created_date("customer"),
    ),
)

CHANNELS = Table(
    name="channels",
    description="Sales channels that orders come from",
    grain="one row per channel and day",
    kind=Kind.DIMENSION,
    key=("pk",),
    sources=(Source(Document.DETAIL, "channel"),),
    secrets=(Secret("conf", "credentials of the channel"),),
    columns=(
        column("pk", BIGINT, "Primary key of the channel", required=True, provenance=_SEEN),
        column("name", TEXT, "Name", provenance=_SEEN),
        column("channel_type", TEXT, "Kind of channel", provenance=_SEEN, values=CHANNEL_TYPES),
        column("catalog_pk", BIGINT, "Catalogue key", path="catalog", provenance=_SEEN),
        column("category_tree", TEXT, "Category tree", provenance=_SEEN),
        column("is_active", BOOLEAN, "Whether the channel is in use", provenance=_SEEN),
        column("schema", JSON, "Schema of the channel's settings", provenance=_SEEN),
        modified_date("channel"),
        created_date("channel"),
    ),
)

DIMENSIONS = (CUSTOMERS, CHANNELS)
