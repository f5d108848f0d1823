"""What became of the messages of runs, and what the people did whom they set out to address: SQL over these relations.

    plans       run, campaign VARCHAR; starts_at TIMESTAMP (shop time); last_day DATE; goal_segment VARCHAR, NULL for
                a purchase; cancelled BOOLEAN; global_holdout DOUBLE, share of people
    recipients  run, campaign, customer_id, arm VARCHAR (plan.TrialArm): everybody, of all runs of these campaigns;
                names of a campaign's runs sort by time
    messages    run, customer_id, step INTEGER, channel, status, reason, variant, message_id VARCHAR,
                noted_at TIMESTAMP (UTC): as table `Deliveries` has them
    events      customer_id, run, message_id, kind VARCHAR, happened_at TIMESTAMP (UTC): of e-mail; opens and clicks
                by people only
    sales       customer_id, order_id VARCHAR, moment TIMESTAMP (shop time), amount DOUBLE (net of refunds), version
                VARCHAR: counted orders; one that was handed over with a merged account stands there for both accounts
    entries     customer_id, segment VARCHAR, day DATE: who entered which segment
    windows     run, channel VARCHAR, seconds BIGINT: how long after a message a purchase is put down to it
    others      the columns of `deliveries` that tell whom a message touched when, of runs that are measured no more

Rules (docs/measurement.md gives the reasons):
- Whom the gate refuses before it comes to holdouts (UNREACHABLE), on every channel of the first message, is not
  compared: nothing could be sent to them, in either group, and it is decided in the same way for both.
- A person is compared once a campaign: in its first run that set out to address them.
- A purchase is put down to one message at most, the last that touched the person within the channel's time.
"""

import duckdb

from dangol.campaigns.decision import Reason
from dangol.engine import literals
from dangol.moves.campaign.messages import Status

UNREACHABLE = (Reason.NO_PROFILE, Reason.NO_ADDRESS, Reason.SUPPRESSED, Reason.NO_CONSENT)

_RELATIONS = {
    "plans": "run TEXT, campaign TEXT, starts_at TIMESTAMP, last_day DATE, goal_segment TEXT, cancelled BOOLEAN, "
    "global_holdout DOUBLE",
    "recipients": "run TEXT, campaign TEXT, customer_id TEXT, arm TEXT",
    "messages": "run TEXT, customer_id TEXT, step INTEGER, channel TEXT, status TEXT, reason TEXT, variant TEXT, "
    "message_id TEXT, noted_at TIMESTAMP",
    "events": "customer_id TEXT, run TEXT, message_id TEXT, kind TEXT, happened_at TIMESTAMP",
    "sales": "customer_id TEXT, order_id TEXT, moment TIMESTAMP, amount DOUBLE, version TEXT",
    "entries": "customer_id TEXT, segment TEXT, day DATE",
    "windows": "run TEXT, channel TEXT, seconds BIGINT",
    "others": "run TEXT, customer_id TEXT, step INTEGER, channel TEXT, status TEXT, variant TEXT, noted_at TIMESTAMP, "
    "opened_at TIMESTAMP, clicked_at TIMESTAMP, seconds BIGINT",
}
_WENT_OUT = literals((Status.SENT, Status.UNKNOWN))
_HAPPENED = ("delivered", "opened", "clicked", "bounced", "complained")

_SALES = "SELECT DISTINCT ON (order_id) * FROM sales ORDER BY order_id, version DESC"
"""An order is of the account that has it now, if that was addressed as well: no order counts twice."""

_DELIVERIES = f"""
    SELECT messages.*, {", ".join(f"{kind}_at" for kind in _HAPPENED)}, seconds
    FROM messages LEFT JOIN windows USING (run, channel) LEFT JOIN (
        SELECT customer_id, message_id, 'email' AS channel,
            {", ".join(f"min(happened_at) FILTER (kind = '{kind}') AS {kind}_at" for kind in _HAPPENED)}
        FROM events WHERE message_id IS NOT NULL GROUP BY customer_id, message_id
    ) USING (customer_id, message_id, channel)
"""
"""`messages`, the first moment (UTC) of each kind of event of them, and `seconds` of windows."""

_ATTRIBUTED = f"""
    WITH told AS (
        SELECT run, customer_id, step, channel, variant, seconds, unnest(
            CASE WHEN channel = 'email' THEN [opened_at, clicked_at]
                 WHEN status IN ({_WENT_OUT}) THEN [noted_at] ELSE []::TIMESTAMP[] END
        ) AS happened_at
        FROM (FROM deliveries UNION ALL BY NAME FROM others)
    ),
    touches AS (
        SELECT * EXCLUDE (happened_at), (happened_at AT TIME ZONE 'UTC')::TIMESTAMP AS touched_at
        FROM told WHERE happened_at IS NOT NULL
    )
    SELECT customer_id, order_id, moment, amount, unnest(arg_max(
        {{run: run, step: step, channel: channel, variant: variant}},
        {{touched_at: touched_at, run: run, step: step, channel: channel}}))
    FROM sales JOIN touches USING (customer_id)
    WHERE touched_at <= moment AND moment <= touched_at + to_seconds(seconds)
    GROUP BY customer_id, order_id, moment, amount
"""
"""Those of `sales` that are put down to a message, with its run, step, channel and variant."""

_OUTCOMES = f"""
    WITH asked AS (
        SELECT run, customer_id,
            bool_or(coalesce(reason, '') NOT IN ({literals(UNREACHABLE)})) AS reachable
        FROM messages WHERE step = 0 GROUP BY run, customer_id
    ),
    bought AS (
        SELECT run, customer_id, count(*) AS orders, sum(amount) AS revenue, min(moment)::DATE AS bought_on
        FROM recipients JOIN plans USING (run) JOIN sales USING (customer_id)
        WHERE moment >= starts_at AND moment::DATE <= last_day GROUP BY run, customer_id
    ),
    entered AS (
        SELECT run, customer_id, min(day) AS entered_on
        FROM recipients JOIN plans USING (run) JOIN entries USING (customer_id)
        WHERE segment = goal_segment AND day BETWEEN starts_at::DATE AND last_day GROUP BY run, customer_id
    ),
    put_down AS (
        SELECT run, customer_id, count(*) AS attributed_orders, sum(amount) AS attributed_revenue
        FROM attributed GROUP BY run, customer_id
    ),
    refused AS (SELECT DISTINCT run, customer_id, true AS unsubscribed FROM events WHERE kind = 'unsubscribed'),
    firsts AS (SELECT campaign, customer_id, min(run) AS first_run FROM recipients GROUP BY campaign, customer_id)
    SELECT run, customer_id, arm, coalesce(reachable, false) AS reachable,
        coalesce(reachable, false) AND NOT cancelled AND first_run = run AND arm <> 'global_holdout' AS compared,
        CASE WHEN goal_segment IS NULL THEN bought_on ELSE entered_on END AS reached_on,
        coalesce(orders, 0) AS orders, coalesce(revenue, 0) AS revenue, bought_on,
        coalesce(attributed_orders, 0) AS attributed_orders, coalesce(attributed_revenue, 0) AS attributed_revenue,
        coalesce(unsubscribed, false) AS unsubscribed
    FROM recipients JOIN plans USING (run, campaign) JOIN firsts USING (campaign, customer_id)
        LEFT JOIN asked USING (run, customer_id) LEFT JOIN bought USING (run, customer_id)
        LEFT JOIN entered USING (run, customer_id) LEFT JOIN put_down USING (run, customer_id)
        LEFT JOIN refused USING (run, customer_id)
"""
"""A row a run and person it set out to address: arm; reachable, compared; reached_on, the day of the goal, NULL for
never; orders and revenue within the goal's time, bought_on the first; what is put down to the run's messages;
unsubscribed by a link of one of them."""


def make_relations(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the relations above as empty temp tables."""
    for name, columns in _RELATIONS.items():
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} ({columns})")


def make_outcomes(connection: duckdb.DuckDBPyConnection) -> None:
    """Make temp tables `deliveries`, `attributed` and `outcomes` of them; of `sales` each order stays once."""
    made = {"sales": _SALES, "deliveries": _DELIVERIES, "attributed": _ATTRIBUTED, "outcomes": _OUTCOMES}
    for name, query in made.items():
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")
