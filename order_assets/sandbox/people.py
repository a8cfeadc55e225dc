"""Customers and their addresses: who they are, and how they change while time passes.

A customer belongs to one channel and orders again and again; one pk always means the same person. People
edit their account now and then, on a rhythm of their own, and that moves the `modified_date` of the
customer or address without touching any order. Names, phones, tax and identity numbers are made up and
cannot be valid.
"""

from __future__ import annotations

from dataclasses import dataclass

from order_assets.sandbox.addresses import (
    Place,
    city_document,
    country_document,
    district_document,
    places,
    township_document,
)
from order_assets.sandbox.catalogue import Channel
from order_assets.sandbox.value_text import DAY, Json, hex_text, instant, mapping_row, pick, stream, uuid_text

FIRST_CUSTOMER = 20_000
ADDRESS_TYPE = 38
CHANNEL_SLOTS = 100  # customer pk = FIRST_CUSTOMER + number * CHANNEL_SLOTS + channel pk

_FIRST_NAMES = (
    "Ayşe",
    "Fatma",
    "Elif",
    "Zeynep",
    "Çiğdem",
    "Şule",
    "Gülşah",
    "Özlem",
    "İrem",
    "Ümmühan",
    "Mehmet",
    "Mustafa",
    "Ömer",
    "İbrahim",
    "Çağrı",
    "Oğuz",
    "Şükrü",
    "Gökhan",
    "Ali",
    "Yiğit",
)
_LAST_NAMES = (
    "Yılmaz",
    "Çelik",
    "Şahin",
    "Öztürk",
    "Yıldız",
    "Aydın",
    "Güneş",
    "Doğan",
    "Kılıç",
    "Işık",
    "Aslan",
    "Çetin",
    "Koç",
    "Kurt",
    "Özdemir",
    "Şimşek",
    "Güler",
    "Taş",
    "Ünal",
    "Bulut",
)
_FOREIGN_FIRST_NAMES = ("Aisha", "Omar", "Jürgen", "Renée", "Zoë", "Søren", "Mary", "John")
_FOREIGN_LAST_NAMES = ("Al Farsi", "Müller", "Lefèvre", "O'Neill", "Smith", "Weiß")
_STREETS = (
    "Atatürk Caddesi",
    "Gül Sokak",
    "Çınar Sokak",
    "İnönü Bulvarı",
    "Şehit Öğretmen Sokağı",
    'Lale "B" Blok',
)
_FOREIGN_STREETS = ("Main Street", "Königsallee", "Rue de l'Église", "Sheikh Zayed Road")
_TITLES = ("Ev", "İş", "Yazlık", "Annemin Evi")
_PLAIN = str.maketrans("çğıöşüÇĞİÖŞÜéèëøß", "cgiosuCGIOSUeeeos")


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When a thing was created and how often it is changed afterwards, in microseconds."""

    created: int
    period: int

    def version(self, now: int) -> int:
        """Give how often the thing has been changed up to `now`."""
        return max(0, (now - self.created) // self.period)

    def modified(self, now: int) -> int:
        """Give the instant of the latest change up to `now`."""
        return self.created + self.version(now) * self.period

    def next_change(self, now: int) -> int:
        """Give the instant of the first change after `now`."""
        return self.created + (self.version(now) + 1) * self.period


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer as drawn; `document` adds what changes."""

    pk: int
    channel: int
    first_name: str
    last_name: str
    email: str
    phone: str | None
    erp_code: str | None
    gender: str | None
    guest: bool
    birth: str | None
    register_client: str
    address_ip: str
    rhythm: Rhythm


@dataclass(frozen=True, slots=True)
class Address:
    """An address of a customer as drawn; `address_document` adds what changes."""

    pk: int
    owner: Customer
    place: Place
    line: str
    title: str
    postcode: str
    phone: str
    company: str | None
    tax_office: str | None
    tax_no: str | None
    identity_number: str | None
    hash_data: str
    mapping_code: str | None
    rhythm: Rhythm


def customer_pk(number: int, channel_pk: int) -> int:
    """Give the pk of customer `number` (0, 1, ...) of a channel."""
    return FIRST_CUSTOMER + number * CHANNEL_SLOTS + channel_pk


def draw_customer(seed: int, opened: int, channel: Channel, pk: int) -> Customer:
    """Draw a customer who registered before the shop's first day, the UTC midnight `opened` (micros)."""
    rng = stream(seed, "customer", pk)
    home = channel.currency == "try"
    first = pick(rng, _FIRST_NAMES if home else _FOREIGN_FIRST_NAMES)
    last = pick(rng, _LAST_NAMES if home else _FOREIGN_LAST_NAMES)
    mailbox = f"{first}.{last}".translate(_PLAIN).lower().replace(" ", "").replace("'", "")
    guest = rng.random() < 0.25
    year, month, day = 1950 + int(rng.random() * 55), 1 + int(rng.random() * 12), 1 + int(rng.random() * 28)
    return Customer(
        pk=pk,
        channel=channel.pk,
        first_name=first,
        last_name=last,
        email=f"{mailbox}{pk}@{pick(rng, ('example.com', 'example.org', 'posta.example.net'))}",
        phone=phone_number(pk) if rng.random() < 0.9 else None,
        erp_code=f"M{pk:07d}" if rng.random() < 0.8 else None,
        gender=pick(rng, (None, "female", "male")),
        guest=guest,
        birth=None if guest or rng.random() < 0.4 else f"{year}-{month:02d}-{day:02d}",
        register_client=pick(rng, ("default", "ios", "android")),
        address_ip=f"203.0.113.{int(rng.random() * 254) + 1}",
        rhythm=Rhythm(
            created=opened - int((30 + rng.random() * 1500) * DAY),
            period=int((9 + rng.random() * 111) * DAY),
        ),
    )


def draw_address(seed: int, owner: Customer, currency: str, pk: int) -> Address:
    """Draw address `pk` of a customer."""
    rng = stream(seed, "address", pk)
    home = currency == "try"
    place = pick(rng, places(currency))
    company = rng.random() < 0.08
    person = f"{owner.last_name} {pick(rng, ('Tekstil Ltd. Şti.', 'İnşaat A.Ş.', '& Oğulları'))}"
    street = pick(rng, _STREETS if home else _FOREIGN_STREETS)
    return Address(
        pk=pk,
        owner=owner,
        place=place,
        line=f"{street} No:{1 + int(rng.random() * 120)} D:{1 + int(rng.random() * 20)}",
        title=pick(rng, _TITLES) if home else "Home",
        postcode=f"{place.city_pk % 100:02d}{int(rng.random() * 1000):03d}",
        phone=owner.phone or phone_number(pk),
        company=person if company else None,
        tax_office=pick(rng, ("Kadıköy VD", "Üsküdar VD", "Çankaya VD")) if company else None,
        tax_no=f"000{int(rng.random() * 10**7):07d}" if company else None,
        identity_number=f"0000{int(rng.random() * 10**7):07d}" if home and rng.random() < 0.3 else None,
        hash_data=hex_text(32, seed, "address-hash", pk),
        mapping_code=uuid_text(rng) if rng.random() < 0.6 else None,
        rhythm=Rhythm(
            created=owner.rhythm.created + int(rng.random() * 20 * DAY),
            period=int((40 + rng.random() * 300) * DAY),
        ),
    )


def phone_number(key: int) -> str:
    """Give a phone number of an area code that nobody has."""
    return f"0 (199) {key // 10_000 % 1000:03d}-{key % 10_000:04d}"


def customer_document(customer: Customer, now: int) -> Json:
    """Give the customer as an order shows it at `now`."""
    version = customer.rhythm.version(now)
    return {
        "pk": customer.pk,
        "channel": customer.channel,
        "email": customer.email,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "phone_number": customer.phone,
        "is_active": True,
        "channel_code": str(customer.pk // CHANNEL_SLOTS),
        "erp_code": customer.erp_code,
        "extra_field": {},
        "modified_date": instant(customer.rhythm.modified(now)),
        "created_date": instant(customer.rhythm.created),
        "date_joined": instant(customer.rhythm.created - 7_493_211),
        "email_allowed": (customer.pk + version) % 2 == 0,
        "sms_allowed": (customer.pk + version) % 3 == 0,
        "call_allowed": False,
        "gender": customer.gender,
        "attributes": (
            {}
            if customer.guest
            else {"logged_ip": customer.address_ip, "register_client_type": customer.register_client}
        ),
        "user_type": "guest" if customer.guest else "registered",
        "date_of_birth": customer.birth,
    }


def address_document(address: Address, now: int) -> Json:
    """Give the address, its places and its customer as an order shows them at `now`."""
    owner, version = address.owner, address.rhythm.version(now)
    mapping = []
    if address.mapping_code:
        mapping.append(mapping_row(ADDRESS_TYPE, address.pk, address.mapping_code, address.rhythm.created))
    return {
        "pk": address.pk,
        "email": owner.email,
        "phone_number": address.phone,
        "first_name": owner.first_name,
        "last_name": owner.last_name,
        "country": country_document(address.place.country),
        "city": city_document(address.place),
        "line": address.line,
        "title": address.title,
        "township": township_document(address.place),
        "district": district_document(address.place),
        "postcode": address.postcode,
        "notes": f"Kapıyı {version} kez çalın" if version else None,
        "company_name": address.company,
        "tax_office": address.tax_office,
        "tax_no": address.tax_no,
        "e_bill_taxpayer": address.company is not None,
        "hash_data": address.hash_data,
        "address_type": "company" if address.company else "customer",
        "retail_store": None,
        "remote_id": None,
        "identity_number": address.identity_number,
        "extra_field": {},
        "customer": customer_document(owner, now),
        "is_active": True,
        "modified_date": instant(address.rhythm.modified(now)),
        "mapping": mapping,
    }
