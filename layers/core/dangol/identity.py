"""Who a row is about: one key per person, the same in every dialect and kind of file.

The platform's own customer id is the key as it stands; without one it is the e-mail address, else the phone
number, and those never become keys themselves: a keyed hash does (HMAC-SHA256, RFC 2104). Each rule is here
twice, as SQL and in Python, and a test holds the two equal.

Not taken for anybody: what a platform has masked (`hong****`), numbers that are all zeros, and the relay
numbers of Korean couriers (050…), which belong to somebody else tomorrow.
"""

import hashlib
import hmac
import re

from dangol.engine import literal

CALLING_CODE = "82"
"""Country of phone numbers that do not name one: Korea."""
LOCAL_KEY = b"dangol, on this machine only"
"""Key of the hash where no secret is given: for trying out, on files that stay where they are."""
KEY_PREFIX = "p_"

_BLANKS = " \t\r\n\f"
_MASK = "**"
_PERSONAL = "\x01"
"""Begins what stands for a person before it is hashed; no id of a platform begins so."""
_EMAIL = r"[!-)+-?A-~]+@[!-)+-?A-~]+\.[!-)+-?A-~]+"  # printable ASCII without @ and *
_PHONE = r"[ ']*\+?[0-9 ().\-/]+"
_MOBILE_WITHOUT_ZERO = r"1[016-9][0-9]{7,8}"  # 010-1234-5678 after a spreadsheet took it for a number
_E164 = r"[1-9][0-9]{8,14}"
_ALL_ZEROS = r".*0{7}"


def person(
    customer_id: str | None, email: str | None, phone: str | None, key: bytes, calling_code: str = CALLING_CODE
) -> str | None:
    """The key of a person: `customer_id` unless it is personal itself, else 'p_' and 32 hex digits; None for nobody."""
    found = who(customer_id, email, phone, calling_code)
    if found is None or not found.startswith(_PERSONAL):
        return found
    return KEY_PREFIX + hmac.new(key, found[1:].encode(), hashlib.sha256).hexdigest()[:32]


def person_sql(customer_id: str, email: str, phone: str, key: bytes, calling_code: str = CALLING_CODE) -> str:
    """SQL: the same as `person`, of three VARCHAR expressions; NULL for nobody."""
    return keyed_sql(who_sql(_trimmed(customer_id), email, phone, calling_code), key)


def who(customer_id: str | None, email: str | None, phone: str | None, calling_code: str = CALLING_CODE) -> str | None:
    """Whom a row is about, in clear: to be passed on to nobody before `keyed_sql` was applied."""
    given = (customer_id or "").strip(_BLANKS)
    if given and _MASK not in given:
        if address := normal_email(given):
            return f"{_PERSONAL}email:{address}"
        if re.fullmatch(_phone_like(calling_code), given) and (number := normal_phone(given, calling_code)):
            return f"{_PERSONAL}phone:{number}"
        return given
    if address := normal_email(email):
        return f"{_PERSONAL}email:{address}"
    number = own_phone(phone, calling_code)
    return f"{_PERSONAL}phone:{number}" if number else None


def who_sql(customer_id: str, email: str, phone: str, calling_code: str = CALLING_CODE) -> str:
    """SQL: the same as `who`, of a `customer_id` without blanks around it.

    What is plainly no contact is told without a pattern, for millions of ids are.
    """
    personal = f"contains(i, '@') OR regexp_full_match(i, {literal(_phone_like(calling_code))})"
    address, number = email_sql("i"), phone_sql("i", calling_code)
    checked = (
        f"list_transform([{customer_id}], lambda i: CASE WHEN i = '' OR contains(i, '{_MASK}') THEN NULL "
        f"WHEN {personal} THEN coalesce(chr(1) || 'email:' || {address}, chr(1) || 'phone:' || {number}, i) "
        f"ELSE i END)[1]"
    )
    # Most ids begin with a letter or another digit than 0 and the calling code, and need no further look.
    figure = f"{customer_id} >= '1' AND NOT starts_with({customer_id}, '{calling_code[0]}')"
    begins = f"({customer_id} >= 'A' OR ({figure})) AND {customer_id} <= '~'"
    plain = " AND ".join((begins, *(f"NOT contains({customer_id}, '{sign}')" for sign in ("@", _MASK))))
    of_id = f"CASE WHEN {plain} THEN {customer_id} ELSE {checked} END"
    of_email = f"chr(1) || 'email:' || {email_sql(email)}"
    of_phone = (
        f"list_transform([{phone_sql(phone, calling_code)}], lambda n: "
        f"CASE WHEN NOT starts_with(n, '{_relay(calling_code)}') THEN chr(1) || 'phone:' || n END)[1]"
    )
    choices = [
        sql for sql, source in ((of_id, customer_id), (of_email, email), (of_phone, phone)) if not _absent(source)
    ]
    return f"coalesce({', '.join(choices)})" if choices else "NULL::VARCHAR"


def keyed_sql(who: str, key: bytes) -> str:
    """SQL: the key of whom `who_sql` found."""
    block = hashlib.sha256(key).digest() if len(key) > 64 else key
    inner, outer = (_blob(bytes(byte ^ pad for byte in block.ljust(64, b"\0"))) for pad in (0x36, 0x5C))
    message = f"encode(substr({who}, 2))"
    digest = f"sha256({outer} || unhex(sha256({inner} || {message})))"
    return f"CASE WHEN {personal_sql(who)} THEN '{KEY_PREFIX}' || left({digest}, 32) ELSE {who} END"


def personal_sql(who: str) -> str:
    """SQL: whether what `who_sql` found must be hashed."""
    return f"starts_with({who}, chr(1))"


def normal_email(text: str | None) -> str | None:
    """An e-mail address without blanks around it, in lower case; None for anything else."""
    address = (text or "").strip(_BLANKS)
    return address.lower() if re.fullmatch(_EMAIL, address) else None


def email_sql(text: str) -> str:
    """SQL: the same as `normal_email`."""
    if _absent(text):
        return "NULL::VARCHAR"
    loose = f"CASE WHEN regexp_full_match(e, {literal(_EMAIL)}) THEN lower(e) END"
    return (
        f"CASE WHEN regexp_full_match({text}, {literal(_EMAIL)}) THEN lower({text}) "
        f"ELSE list_transform([{_trimmed(text)}], lambda e: {loose})[1] END"
    )


def normal_phone(text: str | None, calling_code: str = CALLING_CODE) -> str | None:
    """A phone number as E.164, '+821012345678'; None for anything else.

    A number that names no country is of `calling_code`'s: 010-1234-5678, also as a spreadsheet leaves it,
    without its zero.
    """
    given = (text or "").strip(_BLANKS)
    if not re.fullmatch(_PHONE, given):
        return None
    number = re.sub("[^0-9+]", "", given.replace("(0)", ""))
    if number.startswith("+"):
        number = number[1:]
    elif number.startswith("00"):
        number = number[2:]
    elif number.startswith("0"):
        number = calling_code + number[1:]
    elif _is_mobile(number, calling_code) or not _names_country(number, calling_code):
        number = calling_code + number
    number = re.sub(f"^{calling_code}0+", calling_code, number)
    good = re.fullmatch(_E164, number) and not re.fullmatch(_ALL_ZEROS, number)
    return f"+{number}" if good else None


def own_phone(text: str | None, calling_code: str = CALLING_CODE) -> str | None:
    """The same, but None for the relay number of a courier."""
    number = normal_phone(text, calling_code)
    return None if number is None or number.startswith(_relay(calling_code)) else number


def phone_sql(text: str, calling_code: str = CALLING_CODE) -> str:
    """SQL: the same as `normal_phone`."""
    if _absent(text):
        return "NULL::VARCHAR"
    mobile = f"regexp_full_match(d, '{_MOBILE_WITHOUT_ZERO}')" if calling_code == CALLING_CODE else "false"
    long = len(calling_code) + 8
    number = (
        f"CASE WHEN starts_with(d, '+') THEN substr(d, 2) WHEN starts_with(d, '00') THEN substr(d, 3) "
        f"WHEN starts_with(d, '0') THEN '{calling_code}' || substr(d, 2) "
        f"WHEN {mobile} OR NOT (starts_with(d, '{calling_code}') AND length(d) >= {long}) "
        f"THEN '{calling_code}' || d ELSE d END"
    )
    digits = f"regexp_replace(replace({text}, '(0)', ''), '[^0-9+]', '', 'g')"
    good = f"regexp_full_match(n, '{_E164}') AND NOT regexp_full_match(n, '{_ALL_ZEROS}')"
    return (
        f"CASE WHEN regexp_full_match({_trimmed(text)}, {literal(_PHONE)}) THEN list_transform(list_transform("
        f"list_transform([{digits}], lambda d: {number}), "
        f"lambda n: regexp_replace(n, '^{calling_code}0+', '{calling_code}')), "
        f"lambda n: CASE WHEN {good} THEN '+' || n END)[1] END"
    )


def _is_mobile(number: str, calling_code: str) -> bool:
    return calling_code == CALLING_CODE and re.fullmatch(_MOBILE_WITHOUT_ZERO, number) is not None


def _names_country(number: str, calling_code: str) -> bool:
    return number.startswith(calling_code) and len(number) >= len(calling_code) + 8


def _phone_like(calling_code: str) -> str:
    """What a customer id must look like to be taken for a phone number: more than digits, for ids are digits too."""
    mobile = "|821[016-9]|82[ -]" if calling_code == CALLING_CODE else ""
    return rf"'?(\+[1-9]|\(?0[1-9]{mobile})[0-9 ().\-]{{7,16}}"


def _relay(calling_code: str) -> str:
    return "+8250" if calling_code == CALLING_CODE else "none"


def _absent(sql: str) -> bool:
    return sql.startswith("NULL")


def _trimmed(text: str) -> str:
    if _absent(text):
        return text
    return f"trim({text}, E' \\t\\r\\n\\f')"


def _blob(data: bytes) -> str:
    return "'" + "".join(f"\\x{byte:02X}" for byte in data) + "'::BLOB"
