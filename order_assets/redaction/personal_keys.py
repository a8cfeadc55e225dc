"""What the name of a field says about its value: whose it is, or that it is the number of a thing.

For places that the contract does not know. Names are read in Turkish and English, in any case and spelling
(`tc_kimlik_no`, `tcKimlikNo`, `TC-KIMLIK`); what values look like is said in `redaction.detectors`.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from order_assets.contract.model import Personal
from order_assets.redaction.privacy import TOKEN

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_ENDS = (
    "numarasi",
    "numaralari",
    "numara",
    "number",
    "num",
    "nosu",
    "no",
    "nr",
    "s",
    "lar",
    "ler",
    "lari",
    "leri",
)
_MOST_WORDS = 4


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_NAMES: dict[Personal, str] = {
    Personal.EMAIL: "email emails mail eposta epostasi mailadresi epostaadresi emailaddress emailadresi",
    Personal.PHONE: (
        "phone phones telephone telefon telefonu tel gsm cep ceptel ceptelefon ceptelefonu cepno mobile mobil "
        "mobilephone cellphone cell msisdn whatsapp fax faks evtel istel evtelefonu istelefonu phonenumber gsmno"
    ),
    Personal.IDENTITY: (
        "iban tc tckn tcno tckimlik tckimlikno kimlik kimlikno vatandaslikno tcidentity vkn vknno vergino vergikimlik "
        "vergikimlikno vergiid taxno taxnumber taxid vatno vatnumber vatid identity identityno identitynumber "
        "nationalid nationalidentity nationalidentityno passport passportno pasaport pasaportno ssn vkntckn tcknvkn"
    ),
    Personal.NAME: (
        "firstname lastname fullname surname middlename givenname familyname maidenname nickname soyad soyadi soyisim "
        "soyismi adsoyad adisoyadi adiniz soyadiniz isim ismi isimsoyisim adsoyisim musteriadi musteriad musteriismi "
        "aliciadi aliciad aliciismi gonderenadi gondericiadi teslimalan teslimalanadi kartsahibi kartuzerindekiisim "
        "kartuzerindekiad receivername recipientname customername contactname holdername cardholder cardholdername "
        "nameoncard buyername sendername shoppername payername consigneename username kullaniciadi companyname "
        "firmaadi sirketadi unvan unvani firmaunvani sirketunvani ticariunvan kisiadi yetkili yetkilikisi yetkiliadi"
    ),
    Personal.ADDRESS: (
        "adres adresi adresler adressatiri acikadres evadresi isadresi teslimatadresi faturaadresi gonderimadresi "
        "address addressline addresses addr street streetaddress streetname line1 line2 sokak sokagi sokakadi cadde "
        "caddesi mahalle mahallesi mahalleadi kapino daireno binano apartman apartmanadi housenumber"
    ),
    Personal.NETWORK: "ip ips ipaddress ipadresi ipaddr remoteaddr remoteip clientip userip ipv4 ipv6",
    Personal.BIRTH: (
        "dogumtarihi dogumtarih dogumgunu dogumgun dogumyili dob birthdate birthday birth dateofbirth birthyear bdate"
    ),
}
_KINDS = {name: kind for kind, names in _NAMES.items() for name in names.split()}
# A person where the value is a text: an object of this name has many other things.
_PEOPLE = _set(
    "musteri customer alici receiver recipient buyer shopper payer consignee gonderen gonderici sender holder"
)
# Half of a name: of a person where the other half stands beside it.
HALF_NAMES = frozenset({"ad", "adi", "name", "isim", "first", "last", "given"})
_SURNAMES = frozenset({"soyad", "soyadi", "soyisim", "soyismi", "surname", "lastname", "last", "familyname"})
# The name of a thing, or a fact about it, whatever else the name says.
_GOODS = _set(
    "urun urunu urunler product products item items kampanya campaign promosyon promotion kupon coupon kanal channel "
    "segment marka brand kategori category magaza store sube branch model modeli renk color colour beden size dosya "
    "file host server app uygulama kargo cargo carrier banka bank sehir city ulke country il ilce variant attribute "
    "ozellik etiket label baslik title slug layout template sablon kilif kilifi case aksesuar accessory "
    "  warehouse "
    "depo supplier tedarikci web url image resim "
)
# A fact about a value, and not the value.
_FACTS = _set(
    "type tip tipi count adet sayisi rate orani oran sent verified onayli onay approved enabled aktif active status "
    "durum version required zorunlu permission izin izni format pattern"
)
# Numbers of things: one that happens to have the checksum of a person's number is none.
_OTHER_NUMBERS = _set(
    "siparis order barkod barcode barkodu ean ean13 gtin upc isbn sku stok stock takip tracking track kargo cargo "
    "shipment gonderi fatura invoice irsaliye waybill referans reference ref serino serial imei kod kodu code product "
    "urun item varyant variant pk id ids uuid package paket koli parcel trans transaction islem batch jobid hash "
    "timestamp zaman job offset count amount tutar fiyat price total quantity adet kampanya campaign kupon coupon "
    "group trackingnumber orderid cargokey shipmentcode"
)
_PLACES = _set(
    "city il ilce country ulke township district semt postcode postakodu zip zipcode pk id type tip code kod "
    "region state lat lon latitude longitude active"
)


@lru_cache(maxsize=8192)
def words_of(name: str) -> tuple[str, ...]:
    """The words of a name in small ASCII letters, however they are held together."""
    plain = unicodedata.normalize("NFKD", name.replace("ı", "i").replace("İ", "I"))
    return tuple(word.lower() for word in _WORD.findall(plain.encode("ascii", "ignore").decode()))


@lru_cache(maxsize=8192)
def personal_kind(name: str) -> Personal | None:
    """What a value under this name says about a person; `None` where the name says nothing of that kind."""
    # A token that stands for a name says its kind as well; it says nothing about the value.
    words = words_of(TOKEN.sub("", name))
    found = _kind_of(words)
    if found is None or (_is_of_goods(words) and found not in (Personal.EMAIL, Personal.IDENTITY)):
        return None
    return found if _FACTS.isdisjoint(words) else None


@lru_cache(maxsize=8192)
def is_person(name: str) -> bool:
    """Whether a text under this name is a person's name, though an object under it would be more."""
    words = words_of(name)
    return len(words) == 1 and words[0] in _PEOPLE


@lru_cache(maxsize=8192)
def is_half_name(name: str) -> bool:
    """Whether the name means a person's name where a surname stands beside it."""
    words = words_of(name)
    return len(words) == 1 and words[0] in HALF_NAMES


@lru_cache(maxsize=8192)
def is_surname(name: str) -> bool:
    """Whether the name is that of a surname."""
    return "".join(words_of(name)) in _SURNAMES


@lru_cache(maxsize=8192)
def is_of_a_thing(name: str) -> bool:
    """Whether the value is the name or the number of an order, a parcel, a product or the like."""
    words = words_of(name)
    return not _OTHER_NUMBERS.isdisjoint(words) or _is_of_goods(words) or words[-1:] in (("name",), ("ad",), ("adi",))


@lru_cache(maxsize=8192)
def is_of_a_place(name: str) -> bool:
    """Whether the value, inside of an address, is no more than a town or a key."""
    return not _PLACES.isdisjoint(words_of(name))


def _is_of_goods(words: tuple[str, ...]) -> bool:
    return not _GOODS.isdisjoint(words)


def _kind_of(words: tuple[str, ...]) -> Personal | None:
    """The kind that the longest run of neighbouring words names."""
    for length in range(min(_MOST_WORDS, len(words)), 0, -1):
        for start in range(len(words) - length + 1):
            joined = "".join(words[start : start + length])
            kind = _KINDS.get(joined)
            for end in _ENDS if kind is None else ():
                kind = kind or _KINDS.get(joined.removesuffix(end))
            if kind is not None:
                return kind
    return None
