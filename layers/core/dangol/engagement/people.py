"""Which opens and clicks a person did.

Mail scanners follow every link of a message as it arrives, and mail-privacy proxies fetch its pictures for people who
never look. None of that is engagement. An open or click does not count when
1. it came within SCANNER_SECONDS of the delivery: nobody reads that fast, scanners do at once;
2. its user agent is one of MACHINES (scanners, link previews, programs), or is exactly PRIVACY_PROXY, which is what
   Apple's Mail Privacy Protection sends when it loads a message in the background. Gmail's and Yahoo's picture proxies
   are not among them: those load when a person opens the message;
3. two different links of the message were clicked within BURST_SECONDS of it: that is a program going through them all.
What decides on a campaign's next message (dangol.moves.campaign.answers) is told apart by the same rules, but that time
counts from the sending, which every event names.
Sources: facts on bulk mail (scanners and privacy proxies open and click by themselves); Apple, "Use Mail Privacy
Protection"; the user agents are those that the vendors name themselves by.
"""

from dangol.engagement.machines import BURST_SECONDS, MACHINES, PRIVACY_PROXY, SCANNER_SECONDS
from dangol.engine import literal


def by_people_sql(events: str) -> str:
    """SQL: the opens and clicks of a relation of e-mail events that a person did.

    Columns: customer_id, message_id, kind VARCHAR ('opened' or 'clicked'), happened_at TIMESTAMP (UTC), happened_on
    DATE (in the connection's TimeZone).
    `events` has the columns of the ledger's engagement. Depends on the whole of a message's events: bursts and the
    delivery are looked for among them.
    """
    machine = " OR ".join(f"contains(lower(agent), {literal(name)})" for name in MACHINES)
    return f"""
        SELECT customer_id, message_id, kind, happened_at, (happened_at AT TIME ZONE 'UTC')::DATE AS happened_on
        FROM (
            SELECT *,
                min(happened_at) FILTER (kind IN ('sent', 'delivered')) OVER message AS sent_at,
                max(happened_at) FILTER (kind = 'delivered') OVER message AS delivered_at,
                min(link) OVER burst <> max(link) OVER burst AS in_burst
            FROM {events}
            WINDOW message AS (PARTITION BY customer_id, message_id),
                burst AS (
                    PARTITION BY customer_id, message_id ORDER BY happened_at
                    RANGE BETWEEN INTERVAL {BURST_SECONDS} SECONDS PRECEDING
                        AND INTERVAL {BURST_SECONDS} SECONDS FOLLOWING
                )
        )
        WHERE kind IN ('opened', 'clicked')
            AND NOT coalesce(in_burst, false)
            AND NOT coalesce(happened_at < coalesce(delivered_at, sent_at) + INTERVAL {SCANNER_SECONDS} SECONDS, false)
            AND NOT coalesce({machine} OR trim(agent) = {literal(PRIVACY_PROXY)}, false)
    """
