"""Table `Profiles`: how to reach people, what they allow, and what they were sent. For senders only."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

from dangol.aws.batches import send_all
from dangol.aws.conditions import write_if
from dangol.campaigns.gate import Claim, Profile, ProfileChanged, addresses_of
from dangol.campaigns.items import OwnProducts
from dangol.campaigns.law import Answer, Consent, Purchase
from dangol.channels import CHANNELS
from dangol.ledger.contact import FIELDS, OWN_PRODUCTS, SUBJECTS, Contact

_READ_AT_ONCE = 100
_THREADS = 8
BLOCKED = "erased"
"""Attribute of a mark in the place of a person who is being erased."""
_NOT_BLOCKED = f"attribute_not_exists({BLOCKED})"


class DynamoProfiles:
    """ProfileTable (dangol.moves.contacts), ProfileBook (dangol.campaigns.gate), Guests (moves.campaign.respond)."""

    def __init__(self, resource: Any, table: str) -> None:
        self._client = resource.meta.client  # takes Python's types as the resource does, and serves many threads
        self._table = table

    def put_contacts(self, contacts: Sequence[Contact]) -> None:
        """See ProfileTable."""
        with ThreadPoolExecutor(_THREADS) as pool:
            for _ in pool.map(self._put_contact, contacts):
                pass

    def remove(self, customer_ids: Sequence[str]) -> None:
        """See ProfileTable."""
        with ThreadPoolExecutor(_THREADS) as pool:
            for _ in pool.map(self._remove, customer_ids):
                pass

    def block(self, customer_ids: Sequence[str]) -> int:
        """See ErasableTables in dangol.moves.forget_doors."""
        replaced = 0
        for customer_id in customer_ids:
            item = {"customer_id": customer_id, BLOCKED: True}
            before = self._client.put_item(TableName=self._table, Item=item, ReturnValues="ALL_OLD").get("Attributes")
            replaced += before is not None and BLOCKED not in before
        return replaced

    def unblock(self, customer_ids: Sequence[str]) -> None:
        """See ErasableTables in dangol.moves.forget_doors."""
        for customer_id in customer_ids:
            self._client.delete_item(TableName=self._table, Key={"customer_id": customer_id})

    def read(self, customer_ids: Sequence[str]) -> dict[str, Profile]:
        """The profiles of people, as far as there are any, by customer_id."""
        found: dict[str, Profile] = {}

        def read(batch: list[str]) -> tuple[list[str], str]:
            keys = [{"customer_id": customer_id} for customer_id in batch]
            answer = self._client.batch_get_item(RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}})
            items = (item for item in answer["Responses"][self._table] if BLOCKED not in item)
            found.update({item["customer_id"]: profile_of(item) for item in items})
            left = answer["UnprocessedKeys"].get(self._table, {"Keys": []})["Keys"]
            return [key["customer_id"] for key in left], f"{self._table} is throttled"

        send_all(list(dict.fromkeys(customer_ids)), _READ_AT_ONCE, read)
        return found

    def is_known(self, customer_id: str) -> bool:
        """See Guests (dangol.moves.campaign.respond). Reads key and mark only: no more is allowed to who asks."""
        key = {"customer_id": customer_id}
        asked = f"customer_id, {BLOCKED}"
        found = self._client.get_item(TableName=self._table, Key=key, ProjectionExpression=asked, ConsistentRead=True)
        return BLOCKED not in found.get("Item", {BLOCKED: True})

    def names_and_phones(self, customer_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
        """How a store greets people and calls them, as far as they are known; what is missing is ''."""
        found: dict[str, tuple[str, str]] = {}

        def read(batch: list[str]) -> tuple[list[str], str]:
            asked = {
                "Keys": [{"customer_id": customer_id} for customer_id in batch],
                "ProjectionExpression": "customer_id, #name, phone",
                "ExpressionAttributeNames": {"#name": "name"},
            }
            answer = self._client.batch_get_item(RequestItems={self._table: asked})
            rows = answer["Responses"][self._table]
            found.update({row["customer_id"]: (row.get("name", ""), row.get("phone", "")) for row in rows})
            left = answer["UnprocessedKeys"].get(self._table, {"Keys": []})["Keys"]
            return [key["customer_id"] for key in left], f"{self._table} is throttled"

        send_all(list(dict.fromkeys(customer_ids)), _READ_AT_ONCE, read)
        return found

    def mark(self, profile: Profile) -> Profile:
        """See ProfileBook."""
        answer = write_if(
            self._client.update_item,
            TableName=self._table,
            Key={"customer_id": profile.customer_id},
            UpdateExpression="SET claims = :claims, sent = :sent, reached = :reached ADD revision :one",
            # Everything that was decided on is as it was read: whoever writes to the row raises its revision.
            ConditionExpression=f"revision = :read AND {_NOT_BLOCKED}",
            ExpressionAttributeValues={**marks_of(profile), ":one": 1, ":read": profile.revision},
            ReturnValues="ALL_NEW",
        )
        if answer is None:
            raise ProfileChanged(self.read([profile.customer_id]).get(profile.customer_id))
        return profile_of(answer["Attributes"])

    def unsubscribe(self, customer_id: str, channel: str, at: datetime) -> None:
        """Note a person's own word against a channel; the last one counts. Nothing for whom there is no profile of."""
        # An older word that comes late, such as a complaint, does not take the place of a newer one.
        newer = "(attribute_not_exists(#name) OR #name < :value)"
        self._note(customer_id, f"unsubscribed_{channel}", int(at.timestamp()), newer)

    def retire(self, customer_id: str, channel: str, address: str) -> None:
        """Note that an address is dead. Nothing for whom there is no profile of."""
        self._note(customer_id, f"dead_{channel}", address)

    def knows(self, customer_id: str) -> bool:
        """Whether there is a profile; asked by a write that changes nothing, so that who asks need not read it."""
        found = write_if(
            self._client.update_item,
            TableName=self._table,
            Key={"customer_id": customer_id},
            UpdateExpression="REMOVE nothing",  # there is no such attribute
            # A mark in the place of who is being erased is no profile.
            ConditionExpression=f"attribute_exists(customer_id) AND {_NOT_BLOCKED}",
        )
        return found is not None

    def _note(self, customer_id: str, name: str, value: str | int, *conditions: str) -> None:
        write_if(
            self._client.update_item,
            TableName=self._table,
            Key={"customer_id": customer_id},
            UpdateExpression="SET #name = :value ADD revision :one",
            # Else an erased person would come back, or an address into the mark of who is being erased.
            ConditionExpression=" AND ".join(("attribute_exists(customer_id)", _NOT_BLOCKED, *conditions)),
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues={":value": value, ":one": 1},
        )

    def _remove(self, customer_id: str) -> None:
        write_if(
            self._client.delete_item,
            TableName=self._table,
            Key={"customer_id": customer_id},
            ConditionExpression=_NOT_BLOCKED,  # whoever erases them removes the row
        )

    def _put_contact(self, contact: Contact) -> None:
        values = contact_item(contact)
        names = {f"#{number}": name for number, name in enumerate(FIELDS_IN_TABLE)}
        sets = [f"{mark} = :{mark[1:]}" for mark, name in names.items() if name in values]
        gone = [mark for mark, name in names.items() if name not in values]
        parts = [f"SET {', '.join(sets)}" if sets else "", f"REMOVE {', '.join(gone)}" if gone else ""]
        write_if(
            self._client.update_item,
            TableName=self._table,
            Key={"customer_id": contact.customer_id},
            UpdateExpression=f"{' '.join(filter(None, parts))} ADD revision :one",
            ConditionExpression=_NOT_BLOCKED,  # of who is being erased nothing is written
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={":one": 1}
            | {f":{mark[1:]}": values[name] for mark, name in names.items() if name in values},
        )


_PLAIN = tuple(
    name
    for name in FIELDS
    if not name.startswith(("purchase_", "own_"))
    and not any(name in (f"{s}_answer", f"{s}_on", f"{s}_at") for s in SUBJECTS)
)
FIELDS_IN_TABLE = (*_PLAIN, "purchase", "consents", "products")
"""Attributes that the ledger fills."""


def contact_item(contact: Contact) -> dict[str, Any]:
    """The attributes of a contact: dates as ISO text; consents, the purchase and the person's products as maps."""
    values = contact.values
    item: dict[str, Any] = {name: _text(values[name]) for name in _PLAIN if name in values}
    if "purchase_on" in values and values.get("purchase_kinds"):
        item["purchase"] = {"on": _text(values["purchase_on"]), "kinds": values["purchase_kinds"]}
    consents = {subject: _consent(subject, values) for subject in SUBJECTS if f"{subject}_answer" in values}
    own = {name: values[f"own_{name}"] for name in ("last", *OWN_PRODUCTS) if f"own_{name}" in values}
    return item | ({"consents": consents} if consents else {}) | ({"products": own} if own else {})


def _consent(subject: str, values: Mapping[str, Any]) -> dict[str, Any]:
    found = {part: values.get(f"{subject}_{part}") for part in ("answer", "on", "at")}
    return {part: _text(value) for part, value in found.items() if value is not None}


def _text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def profile_of(item: Mapping[str, Any]) -> Profile:
    """A row as Profile."""
    consents = item.get("consents", {})
    return Profile(
        customer_id=item["customer_id"],
        revision=int(item["revision"]),
        name=item.get("name"),
        addresses=addresses_of(item.get("email"), item.get("push_token"), item.get("push_platform")),
        push_platform=item.get("push_platform"),
        phone=item.get("phone"),
        last_product=item.get("last_product"),
        last_category=item.get("last_category"),
        consents={subject: _consent_of(one) for subject, one in consents.items()},
        consented_at={s: _moment(one["at"]) for s, one in consents.items() if "at" in one},
        unsubscribed=_unsubscribed(item),
        dead={channel: item[f"dead_{channel}"] for channel in CHANNELS if f"dead_{channel}" in item},
        purchase=_purchase(item.get("purchase")),
        products=_own_products(item.get("products", {})),
        claims={m: Claim(one[0], _moment(one[1]), _moment(one[2])) for m, one in item.get("claims", {}).items()},
        sent={channel: tuple(map(_moment, times)) for channel, times in item.get("sent", {}).items()},
        reached={campaign: (run, _moment(at)) for campaign, (run, at) in item.get("reached", {}).items()},
    )


def _consent_of(one: Mapping[str, Any]) -> Consent:
    return Consent(Answer(one["answer"]), date.fromisoformat(one["on"]), dated="at" in one)


def _unsubscribed(item: Mapping[str, Any]) -> dict[str, datetime]:
    """The last refusal of each channel: noted here, or in the ledger."""
    noted = {c: [int(item[n]) for n in (f"unsubscribed_{c}", f"refused_{c}_at") if n in item] for c in CHANNELS}
    return {channel: _moment(max(times)) for channel, times in noted.items() if times}


def _purchase(found: Mapping[str, Any] | None) -> Purchase | None:
    return Purchase(date.fromisoformat(found["on"]), frozenset(found["kinds"])) if found else None


def _own_products(found: Mapping[str, Any]) -> OwnProducts:
    return OwnProducts(found.get("last"), **{kind: tuple(found.get(kind, ())) for kind in OWN_PRODUCTS})


def marks_of(profile: Profile) -> dict[str, Any]:
    """What the gate writes: the values of its update."""
    return {
        ":claims": {m: [one.call, *_seconds((one.at, one.until))] for m, one in profile.claims.items()},
        ":sent": {channel: _seconds(times) for channel, times in profile.sent.items()},
        ":reached": {campaign: [run, *_seconds((at,))] for campaign, (run, at) in profile.reached.items()},
    }


def _seconds(moments: Iterable[datetime]) -> list[int]:
    return [int(moment.timestamp()) for moment in moments]


def _moment(seconds: Any) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
