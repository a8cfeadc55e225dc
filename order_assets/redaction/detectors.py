"""Finds card numbers and personal data in text by what they look like: checksums, issuers, forms.

Cards are known by Luhn's sum and the issuers' ranges, Turkish identity numbers and IBAN by their sums, phones by their
form, e-mail addresses also where a URL or markup spells their sign. A tax number has a weak sum that every tenth number
of ten digits has as well, so it counts only after a word that says so; the same goes for phones without zero and
country. What the names of fields say is in `redaction.personal_keys`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from urllib.parse import unquote

from order_assets.contract.model import Personal

# The kind of a value and the value itself to what is stored in its place.
Treat = Callable[[Personal, str], str]

_SEPARATORS = r"[\s.\-_/()\u2010-\u2015·,]{1,3}"
# Digits in groups; an UUID is matched to be stepped over. Groups of more than 19 digits are nobody's.
_RUN = re.compile(
    r"(?P<uuid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})|"
    rf"(?<![0-9])(?P<plus>\+\s?|\(\+)?\(?\d+(?:{_SEPARATORS}\d+)*"
)
_GROUP = re.compile(r"\d+")
_HEX = re.compile(r"[0-9a-fA-F]*[a-fA-F][0-9a-fA-F]*")
_EMAIL = re.compile(
    r"(?<![\w.+\-%])(?:%(?!40)[0-9A-Fa-f]{2})*(?P<address>[\w.+\-']+(?:%2[Bb][\w.+\-]*)?"
    r"(?:@|\uff20|%40|%2540|&#0*64;|&#[xX]0*40;|&commat;|\\u0040)[\w\-]+(?:\.|%2[Ee])[\w.\-]+)"
)
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[\s\-]?[0-9]{2}(?:[\s\-.]?[0-9A-Za-z]){11,40}")
_IBAN_LENGTHS = {
    country: int(length)
    for country, length in re.findall(
        r"([A-Z]{2})([0-9]{2})",
        "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BR29BY28CH21CR22CY28CZ24DE22DK18DO28EE20EG29ES24FI18FO18FR27GB22GE22GI23"
        "GL18GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MR27MT31MU30"
        "NL18NO15PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27ST25SV28TL23TN24TR26UA29VA22VG24XK20",
    )
}
_MOBILE = r"5(?:0[0-9]|1[0-9]|2[2-9]|3[0-9]|4[0-9]|5[0-9]|6[01])"
_AREA = r"(?:[234][0-9][02468]|850)"
_NATIONAL = re.compile(rf"0(?:{_MOBILE}|{_AREA})[0-9]{{7}}")
_MOBILE_NUMBER = re.compile(rf"{_MOBILE}[0-9]{{7}}")
_LAND_LINE = re.compile(rf"{_AREA}[0-9]{{7}}")
_TURKEY = re.compile(rf"90(?:0?{_MOBILE}|0?{_AREA})[0-9]{{7}}")
_ABROAD = re.compile(
    r"00(?:90|49|44|43|41|31|32|33|34|39|30|45|46|47|48|40|36|7|20|98|351|353|355|357|358|359|370|371|372|373|374|375|"
    r"380|381|382|383|385|386|387|389|420|421|961|962|963|964|965|966|967|968|971|972|973|974|992|993|994|995|996|998)"
    r"[1-9][0-9]{6,10}"
)
_FEWEST_DIGITS = 10
# How sure it is that a number is a person's.
_BY_SUM, _BY_FORM, _SAID = range(3)
_BEFORE = 24
# What may stand between a word and its number: a plus, a bracket, and white space as regular expressions know it.
_BEFORE_A_NUMBER = "+(" + "".join(sign for sign in map(chr, range(0x3001)) if sign.isspace())
_PHONE_WORD = re.compile(
    r"(?:\b(?:tel|tlf|gsm|cep|mobil|fax|faks|whatsapp|telno)|telefon|phone|mobile|\barayin|\bcall)\w*[^0-9\w]{0,3}"
    r"(?:no|nr|numaras[ıi]|number|num)?\W*$",
    re.IGNORECASE,
)
_TAX_WORD = re.compile(
    r"(?:\bv\.?\s?k\.?\s?n\.?(?:\W{0,3}no)?|"
    r"(?:vergi|\btax|\bvat)\w*\W{0,3}(?:kimlik|id)?\W{0,3}(?:no|nr|numaras[ıi]|number|num|id|kimlik|:))\W*$",
    re.IGNORECASE,
)
_IDENTITY_WORD = re.compile(
    r"(?:\btckn|\bt\.?c\.?\b|kimlik|identity|national id)\w*\W{0,3}(?:kimlik\w*)?\W{0,3}"
    r"(?:no|nr|numaras[ıi]|number)?\W*$",
    re.IGNORECASE,
)
_THING_WORD = re.compile(
    r"(?:sipari[sş]|order|bark?od|barcode|\bean|gtin|\bsku|takip|track|kargo|cargo|fatura|invoice|\bref|stok|stock|"
    r"model|\bkod|code|\bseri|imei|irsaliye|\bid|[üu]r[üu]n|product|kampanya|kupon)[^0-9]{0,14}$",
    re.IGNORECASE,
)
# What every text is held against first: most text ends here.
_SIGNS = re.compile(r"@|\uff20|%40|%2540|&#|&commat|\\u0040")
# Digits and what stands between them, as long as the shortest number of a person; an IBAN has as many in a row.
_NUMBER = re.compile(r"\d[\d\s.\-_/(),·+\u2010-\u2015]{8,}\d")
_SHORTEST_NUMBER = 10
_TEN_DIGITS = re.compile(r"\d(?:[\s.\-_/()\u2010-\u2015·,+]{0,3}\d){9}")
_THIRTEEN_DIGITS = re.compile(r"\d(?:[\s.\-_/()\u2010-\u2015·,+]{0,3}\d){12}")


def may_hold_people(text: str) -> bool:
    """Whether a glance cannot rule out that a text has a card number, a person's number or an e-mail address."""
    return _SIGNS.search(text) is not None or may_hold_number(text)


def may_hold_number(text: str) -> bool:
    """Whether a glance cannot rule out that a text has a person's number in it."""
    return len(text) >= _SHORTEST_NUMBER and _NUMBER.search(text) is not None


def has_long_number(text: str) -> bool:
    """Whether a text has ten digits in a row or in groups."""
    return may_hold_number(text) and _TEN_DIGITS.search(text) is not None


def may_hold_card(text: str) -> bool:
    """Whether a text has thirteen digits in a row or in groups."""
    return may_hold_number(text) and _THIRTEEN_DIGITS.search(text) is not None


def without_cards(text: str, mask: str) -> tuple[str, int]:
    """The text without card numbers, and how many there were."""
    if not may_hold_card(text):
        return text, 0
    return _replaced(text, lambda run, _text: _cards(run), lambda _kind, _found: mask)


def has_card(text: str) -> bool:
    """Whether there is a card number in a text."""
    if text.isascii() and text.isdecimal():
        return is_card_number(text)
    return without_cards(text, "")[1] > 0


def has_person(text: str, *, of_a_thing: bool) -> bool:
    """Whether a text has an e-mail address or a person's number in it."""
    return without_people(text, lambda _kind, _found: "", of_a_thing=of_a_thing)[1] > 0


def looks_personal(text: str) -> bool:
    """Whether a text has a card number, an e-mail address or a person's number in it."""
    return has_card(text) or has_person(text, of_a_thing=False)


def without_people(text: str, treat: Treat, *, sure_only: bool = False, of_a_thing: bool = False) -> tuple[str, int]:
    """The text with what `treat` makes of each e-mail address, IBAN, identity number and phone; and their number.

    `sure_only` leaves identity numbers alone that nothing but their sum gives away: for names of products.
    `of_a_thing` leaves phones without signs alone as well: for numbers of orders and parcels.
    """
    if not may_hold_people(text):
        return text, 0
    count = 0

    def email(match: re.Match[str]) -> str:
        nonlocal count
        found = match["address"]
        address = unescape(unquote(unquote(found))).replace("\\u0040", "@").replace("\uff20", "@").rstrip(".")
        count += 1
        tail = "." if found.endswith(".") else ""
        return match.group()[: match.start("address") - match.start()] + treat(Personal.EMAIL, address) + tail

    ibans = 0
    if not text.isdigit():
        if _SIGNS.search(text) is not None:
            text = _EMAIL.sub(email, text)
        text, ibans = _without_ibans(text, treat)
    if not has_long_number(text):
        return text, count + ibans
    needed = _SAID if of_a_thing else _BY_FORM if sure_only else _BY_SUM
    text, numbers = _replaced(text, lambda run, whole: _people(run, whole, needed), treat)
    return text, count + ibans + numbers


def is_identity_number(digits: str) -> bool:
    """Whether eleven digits are a Turkish identity number (TCKN) by its two check digits."""
    if len(digits) != 11 or digits[0] == "0" or not digits.isdecimal() or len(set(digits)) == 1:
        return False
    n = [int(digit) for digit in digits]
    return (7 * sum(n[0:9:2]) - sum(n[1:8:2])) % 10 == n[9] and sum(n[:10]) % 10 == n[10]


def is_tax_number(digits: str) -> bool:
    """Whether ten digits are a Turkish tax number (VKN) by its check digit."""
    if len(digits) != 10 or not digits.isdecimal():
        return False
    total = 0
    for place, digit in enumerate(digits[:9]):
        moved = (int(digit) + 9 - place) % 10
        total += 9 if moved == 9 else moved * 2 ** (9 - place) % 9
    return (10 - total % 10) % 10 == int(digits[9])


def is_iban(text: str) -> bool:
    """Whether letters and digits are an IBAN: its country's length, and its sum."""
    text = text.upper()
    if _IBAN_LENGTHS.get(text[:2]) != len(text) or not text.isalnum() or not text.isascii():
        return False
    return int("".join(str(int(sign, 36)) for sign in text[4:] + text[:4])) % 97 == 1


def is_card_number(digits: str) -> bool:
    """Whether digits are those of a card: Luhn's sum, and a number range and length of an issuer.

    Thirteen digits with the sum of an article number (EAN) are one: no issuer gives out such short numbers any more.
    """
    if not 13 <= len(digits) <= 19 or not _is_of_an_issuer(digits):
        return False
    total = sum(int(digit) for digit in digits[-1::-2]) + sum(
        sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2]
    )
    return total % 10 == 0 and not (len(digits) == 13 and _is_article_number(digits))


def _is_of_an_issuer(digits: str) -> bool:
    length, head = len(digits), int(digits[:6])
    four, three, two = head // 100, head // 1000, head // 10_000
    if digits[0] == "4":
        return length in (13, 16, 19)
    if 51 <= two <= 55 or 2221 <= four <= 2720:
        return length == 16
    if two in (34, 37):
        return length == 15
    if 300 <= three <= 305 or three == 309 or two in (36, 38, 39):
        return 14 <= length <= 19
    if 3528 <= four <= 3589 or two in (62, 65) or four == 6011 or 644 <= three <= 649 or 2200 <= four <= 2204:
        return length >= 16
    if four in (2131, 1800):
        return length == 15
    if four == 9792 or three == 508 or two in (60, 81, 82):
        return length == 16
    return four in (5018, 5020, 5038, 5612, 5893, 6304, 6390, 6759, 6761, 6762, 6763)


def _is_article_number(digits: str) -> bool:
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits)) % 10 == 0


# A run of digits in a text: where each group stands, and its digits.
_Groups = list[tuple[int, int, str]]
# From where to where in the text, and what it is.
_Found = tuple[int, int, Personal]


def _replaced(
    text: str, look: Callable[[tuple[_Groups, bool], str], Iterator[_Found]], treat: Treat
) -> tuple[str, int]:
    parts: list[str] = []
    end = count = 0
    for groups, begin_of_run, plus in _runs(text):
        for start, stop, kind in look((groups, plus), text):
            begin = begin_of_run if start == groups[0][0] and plus else start
            parts.append(text[end:begin] + treat(kind, text[begin:stop]))
            end = stop
            count += 1
    return ("".join(parts) + text[end:], count) if count else (text, 0)


def _runs(text: str) -> Iterator[tuple[_Groups, int, bool]]:
    """The runs of digits that are long enough: their groups, where each begins, and whether a plus is before it."""
    if text.isascii() and text.isdecimal():
        # Most numbers stand alone.
        yield [(0, len(text), text)], 0, False
        return
    for match in _RUN.finditer(text):
        if match["uuid"] is not None or match.end() - match.start() < _FEWEST_DIGITS or _is_hexadecimal(text, match):
            continue
        groups = [
            (found.start(), found.end(), _plain_digits(found.group()))
            for found in _GROUP.finditer(text, match.start(), match.end())
        ]
        yield groups, match.start(), match["plus"] is not None


def _plain_digits(text: str) -> str:
    return text if text.isascii() else "".join(str(int(digit)) for digit in text)


def _is_hexadecimal(text: str, match: re.Match[str]) -> bool:
    """Whether the digits are a part of a longer digest."""
    start, end = match.span()
    while start > 0 and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end].isalnum():
        end += 1
    return end - start >= 24 and _HEX.fullmatch(text, start, end) is not None


def _windows(groups: _Groups, shortest: int, longest: int) -> Iterator[tuple[int, int, str, tuple[int, ...]]]:
    """Neighbouring groups that have so many digits together: first, last, digits, and the size of each."""
    if len(groups) == 1:
        digits = groups[0][2]
        if shortest <= len(digits) <= longest:
            yield 0, 0, digits, (len(digits),)
        return
    for first in range(len(groups)):
        digits = ""
        for last in range(first, len(groups)):
            digits += groups[last][2]
            if len(digits) > longest:
                break
            if len(digits) >= shortest:
                yield first, last, digits, tuple(len(group) for _, _, group in groups[first : last + 1])


def _is_card_form(sizes: tuple[int, ...]) -> bool:
    """Whether people write card numbers in such groups; sizes and measures of goods come in twos."""
    if len(sizes) == 1 or set(sizes) == {1}:
        return True
    return sizes[0] in (4, 5, 6, 8) and all(size >= 3 for size in sizes[:-1])


def _cards(run: tuple[_Groups, bool]) -> Iterator[_Found]:
    groups, _ = run
    taken = -1
    for first, last, digits, sizes in _windows(groups, 13, 19):
        if first > taken and _is_card_form(sizes) and is_card_number(digits):
            taken = last
            yield groups[first][0], groups[last][1], Personal.CARD


def _people(run: tuple[_Groups, bool], text: str, needed: int) -> Iterator[_Found]:
    groups, plus = run
    taken = -1
    # The longest first: an identity number is not looked for inside of a phone number.
    windows = sorted(_windows(groups, 10, 15), key=lambda window: (window[0], -len(window[2])))
    for first, last, digits, sizes in windows:
        if first <= taken:
            continue
        before = text[max(0, groups[first][0] - _BEFORE) : groups[first][0]]
        kind, sureness = _kind(digits, sizes, before, plus and first == 0)
        if kind is not None and sureness >= needed:
            taken = last
            yield groups[first][0], groups[last][1], kind


def _kind(digits: str, sizes: tuple[int, ...], before: str, plus: bool) -> tuple[Personal | None, int]:
    """What neighbouring groups of digits are, and how sure that is: by a word or signs, by their form, by their sum."""
    words = before.rstrip(_BEFORE_A_NUMBER)
    if _is_phone(digits, sizes, plus):
        if plus or len(sizes) > 1 or _PHONE_WORD.search(words):
            return Personal.PHONE, _SAID
        return (None, 0) if _THING_WORD.search(before) else (Personal.PHONE, _BY_FORM)
    if words and len(digits) == 10:
        if min(sizes) >= 3 and _TAX_WORD.search(words):
            return Personal.IDENTITY, _SAID
        if _MOBILE_NUMBER.fullmatch(digits) and _PHONE_WORD.search(words):
            return Personal.PHONE, _BY_SUM
    if not is_identity_number(digits) or min(sizes) < 2 or len(sizes) > 4 or (len(sizes) > 1 and sizes[0] < 3):
        return None, 0
    if _IDENTITY_WORD.search(words):
        return Personal.IDENTITY, _SAID
    return (None, 0) if _THING_WORD.search(before) else (Personal.IDENTITY, _BY_SUM)


def _is_phone(digits: str, sizes: tuple[int, ...], plus: bool) -> bool:
    if plus:
        return len(digits) <= 15 and digits[0] != "0"
    if _NATIONAL.fullmatch(digits) or _TURKEY.fullmatch(digits):
        return len(sizes) == 1 or max(sizes) <= 8
    if _ABROAD.fullmatch(digits):
        return len(sizes) > 1 or not (len(digits) == 13 and _is_article_number(digits))
    is_grouped = sizes in ((3, 3, 2, 2), (3, 3, 4), (3, 7))
    return is_grouped and (_MOBILE_NUMBER.fullmatch(digits) or _LAND_LINE.fullmatch(digits)) is not None


def _is_iban_form(text: str) -> bool:
    """Whether letters are all large or all small, and groups, if any, of four."""
    groups = re.split(r"[\s\-.]", text)
    return (text.isupper() or text.islower()) and all(len(group) == 4 for group in groups[:-1])


def _without_ibans(text: str, treat: Treat) -> tuple[str, int]:
    parts: list[str] = []
    end = count = place = 0
    while (match := _IBAN.search(text, place)) is not None:
        length = _IBAN_LENGTHS.get(match.group()[:2].upper(), 0)
        stop = match.start()
        kept = ""
        while stop < match.end() and len(kept) < length:
            kept += text[stop] if text[stop].isalnum() else ""
            stop += 1
        if kept and is_iban(kept) and _is_iban_form(text[match.start() : stop]) and not text[stop : stop + 1].isalnum():
            parts.append(text[end : match.start()] + treat(Personal.IDENTITY, kept.upper()))
            end = place = stop
            count += 1
        else:
            place = match.start() + 2
    return ("".join(parts) + text[end:], count) if count else (text, 0)
