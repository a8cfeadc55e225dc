"""Countries, cities, townships and districts of the stand-in, as fixed reference data.

The rows of the documented order (Turkey, Afyon, DİNAR, İNCESU) are here with the very values they have
there, so that one pk never means two things. Who lives where is in `people`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from order_assets.sandbox.value_text import Json, instant, mapping_row

COUNTRY_TYPE, TOWNSHIP_TYPE, CITY_TYPE = 33, 34, 36
_IMPORTED = 1_482_396_657_270_000  # 2016-12-22, the day the documented shop loaded its places
_MAPPED = 1_485_255_539_087_889


@dataclass(frozen=True, slots=True)
class Country:
    """A country: its pk, name, lower-case code and Turkish name."""

    pk: int
    name: str
    code: str
    turkish_name: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where an address lies; township and district are None where the country has none."""

    country: Country
    city_pk: int
    city: str
    township_pk: int | None = None
    township: str | None = None
    district_pk: int | None = None
    district: str | None = None


TURKEY = Country(1, "Turkey", "tr", "Türkiye")
_EMIRATES = Country(2, "United Arab Emirates", "ae", "Birleşik Arap Emirlikleri")
_GERMANY = Country(3, "Germany", "de", "Almanya")
_FRANCE = Country(4, "France", "fr", "Fransa")
_STATES = Country(5, "United States", "us", "Amerika Birleşik Devletleri")

_TURKISH_CITIES: tuple[tuple[int, str, tuple[tuple[str, tuple[str, ...]], ...]], ...] = (
    (
        34,
        "İstanbul",
        (
            ("KADIKÖY", ("CAFERAĞA", "FENERBAHÇE", "GÖZTEPE")),
            ("ŞİŞLİ", ("MECİDİYEKÖY", "FERİKÖY")),
            ("ÜSKÜDAR", ("ÇENGELKÖY", "BEYLERBEYİ")),
            ("BEŞİKTAŞ", ("ETİLER", "ORTAKÖY")),
        ),
    ),
    (6, "Ankara", (("ÇANKAYA", ("KIZILAY", "BAHÇELİEVLER")), ("KEÇİÖREN", ("ETLİK", "KALABA")))),
    (35, "İzmir", (("KARŞIYAKA", ("BOSTANLI", "ALAYBEY")), ("ÇEŞME", ("ALAÇATI", "ILICA")))),
    (16, "Bursa", (("NİLÜFER", ("GÖRÜKLE", "ÖZLÜCE")), ("OSMANGAZİ", ("ÇEKİRGE", "HÜDAVENDİGAR")))),
    (7, "Antalya", (("MURATPAŞA", ("LARA", "KONYAALTI")), ("KAŞ", ("KALKAN", "ÇUKURBAĞ")))),
    (21, "Diyarbakır", (("BAĞLAR", ("KAYAPINAR", "ŞEYHŞAMİL")),)),
    (63, "Şanlıurfa", (("HALİLİYE", ("BAHÇELİEVLER", "SIRRIN")),)),
    (54, "Iğdır", (("MERKEZ", ("12 EYLÜL", "TOPÇULAR")),)),
)
_FOREIGN_CITIES: tuple[tuple[Country, tuple[tuple[int, str], ...]], ...] = (
    (_EMIRATES, ((201, "Dubai"), (202, "Abu Dhabi"), (203, "Sharjah"))),
    (_GERMANY, ((301, "Berlin"), (302, "Köln"), (303, "München"))),
    (_FRANCE, ((401, "Paris"), (402, "Orléans"))),
    (_STATES, ((501, "New York"), (502, "San José"))),
)


@cache
def places(currency: str) -> tuple[Place, ...]:
    """Give the places that a channel selling in `currency` (try, aed, eur, usd) delivers to."""
    if currency == "try":
        documented = Place(TURKEY, 71, "Afyon", 853, "DİNAR", 3679, "İNCESU")
        return (*_turkish_places(), documented)
    countries = {"aed": ("ae",), "eur": ("de", "fr"), "usd": ("us",)}[currency]
    return tuple(
        Place(country, pk, name)
        for country, cities in _FOREIGN_CITIES
        if country.code in countries
        for pk, name in cities
    )


def _turkish_places() -> tuple[Place, ...]:
    found = []
    for city_pk, city, townships in _TURKISH_CITIES:
        for t, (township, districts) in enumerate(townships):
            township_pk = city_pk * 1000 + t
            for d, district in enumerate(districts):
                place = Place(TURKEY, city_pk, city, township_pk, township, township_pk * 100 + d, district)
                found.append(place)
    return tuple(found)


def country_document(country: Country) -> Json:
    """Give the country as it is nested in an address."""
    if country.pk == TURKEY.pk:
        mapping = _documented_mapping(1, COUNTRY_TYPE, 1, "TR", "2017-01-24T10:58:56.765")
        created, modified = "2016-12-22T08:50:55.358000Z", "2022-08-15T07:20:28.680740Z"
    else:
        mapping = [mapping_row(COUNTRY_TYPE, country.pk, country.code.upper(), _MAPPED)]
        created, modified = instant(_IMPORTED + country.pk), instant(_IMPORTED + country.pk)
    return {
        "pk": country.pk,
        "is_active": True,
        "name": country.name,
        "code": country.code,
        "translations": {"tr-tr": {"name": country.turkish_name}},
        "modified_date": modified,
        "created_date": created,
        "mapping": mapping,
    }


def city_document(place: Place) -> Json:
    """Give the city as it is nested in an address."""
    if place.city_pk == 71:
        mapping = _documented_mapping(25, CITY_TYPE, 71, "TR.03", "2017-01-24T10:58:58.771")
    else:
        code = f"{place.country.code.upper()}.{place.city_pk:02d}"
        mapping = [mapping_row(CITY_TYPE, place.city_pk, code, _MAPPED)]
    return {
        "pk": place.city_pk,
        "is_active": True,
        "name": place.city,
        "country": place.country.pk,
        "translations": None,
        "priority": None,
        "postcode": None,
        "modified_date": instant(_IMPORTED),
        "created_date": instant(_IMPORTED),
        "mapping": mapping,
    }


def township_document(place: Place) -> Json | None:
    """Give the township as it is nested in an address, or None where there is none."""
    if place.township_pk is None:
        return None
    if place.township_pk == 853:
        mapping = _documented_mapping(28, TOWNSHIP_TYPE, 853, "TR.00304", "2017-01-24T10:58:59.087")
        created, modified = "2016-12-22T08:51:20.111000Z", "2016-12-22T08:51:20.112000Z"
    else:
        mapping = [mapping_row(TOWNSHIP_TYPE, place.township_pk, f"TR.{place.township_pk:05d}", _MAPPED)]
        created = modified = instant(_IMPORTED + place.township_pk)
    return {
        "pk": place.township_pk,
        "is_active": True,
        "name": place.township,
        "city": place.city_pk,
        "postcode": None,
        "modified_date": modified,
        "created_date": created,
        "mapping": mapping,
    }


def district_document(place: Place) -> Json | None:
    """Give the district as it is nested in an address, or None where there is none."""
    if place.district_pk is None:
        return None
    changed = "2016-12-22T08:53:12.031000Z" if place.district_pk == 3679 else instant(_IMPORTED + place.district_pk)
    return {
        "pk": place.district_pk,
        "is_active": True,
        "name": place.district,
        "city": place.city_pk,
        "township": place.township_pk,
        "postcode": None,
        "zipcode": None,
        "modified_date": changed,
        "created_date": changed,
        "mapping": [],
    }


_DOCUMENTED_FRACTIONS = {1: ("596", "567"), 25: ("769", "729"), 28: ("915", "889")}


def _documented_mapping(pk: int, content_type: int, object_id: int, code: str, to_millis: str) -> list[Json]:
    modified, created = _DOCUMENTED_FRACTIONS[pk]
    return [
        {
            "pk": pk,
            "content_type": content_type,
            "object_id": object_id,
            "integration_type": "external_company",
            "code": code,
            "modified_date": f"{to_millis}{modified}Z",
            "created_date": f"{to_millis}{created}Z",
        }
    ]
