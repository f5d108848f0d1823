"""Every sentence and label of a report, in Korean and English; the one home of both.

In Korean a particle right after {a value} takes the form that the value asks for: {segment}이, {target}으로.
"""

WORDS: dict[str, tuple[str, str]] = {
    "title": ("고객 리포트", "Customer report"),
    "as_of": ("{day} 기준", "as of {day}"),
    "other_language": ("English", "한국어"),
    "customers": ("고객", "Customers"),
    "people": ("{count}명", "{count}"),
    "revenue": ("누적 매출", "Lifetime revenue"),
    "orders": ("확정 주문", "Counted orders"),
    "newest_order": ("마지막 주문", "Newest order"),
    "unclassified_share": ("미분류", "Unclassified"),
    "days_ago": ("{days}일 전", "{days} days ago"),
    "today": ("오늘", "today"),
    "none": ("없음", "none"),
    "sections": ("차례", "Contents"),
    "data_behind": ("표로 보기", "Show the table"),
    "warning": ("확인 필요", "Please check"),
    # What changed
    "news": ("달라진 점", "What changed"),
    "first_report": (
        "첫 리포트입니다. 다음 리포트부터 무엇이 달라졌는지 알려 드립니다.",
        "This is the first report. The next one will say what changed.",
    ),
    "customers_more": (
        "{day}보다 고객이 {more}명 늘어 {customers}명입니다.",
        "Customers: {customers}, {more} more than on {day}.",
    ),
    "customers_fewer": (
        "{day}보다 고객이 {more}명 줄어 {customers}명입니다.",
        "Customers: {customers}, {more} fewer than on {day}.",
    ),
    "customers_same": (
        "고객은 {day}과 같은 {customers}명입니다.",
        "Customers: {customers}, as many as on {day}.",
    ),
    "orders_more": (
        "확정 주문이 {more}건, 매출이 {amount} 늘었습니다.",
        "Counted orders: {more} more; revenue: {amount} more.",
    ),
    "orders_more_revenue_less": (
        "확정 주문은 {more}건 늘었지만 환불로 매출은 {amount} 줄었습니다.",
        "Counted orders: {more} more; but refunds lowered revenue by {amount}.",
    ),
    "orders_fewer": (
        "확정 주문이 {fewer}건 줄었습니다 (매출 차이 {amount}). 취소가 많았는지, 파일이 잘못되었는지 확인하세요.",
        "Counted orders: {fewer} fewer (revenue differs by {amount}). Many cancellations, or a wrong file?",
    ),
    "orders_same": ("새로 확정된 주문이 없습니다.", "There are no new counted orders."),
    "moved_in_all": (
        "고객 {customers}명이 세그먼트를 옮겼습니다.",
        "Moved to another segment: {customers}.",
    ),
    "moved": ("{origin}에서 {target}으로 {customers}명", "{origin} to {target}: {customers}"),
    "nobody_moved": ("세그먼트를 옮긴 고객이 없습니다.", "Nobody moved to another segment."),
    "record": (
        "{segment}이 {customers}명으로 지금까지 가장 많습니다 (이전 기록 {day} {most}명).",
        "{segment} has more customers than ever: {customers} (before: {most} on {day}).",
    ),
    "policy_changed": (
        "세그먼트 규칙이 바뀌었습니다. 이동의 일부는 규칙 때문입니다.",
        "The rules of the segments changed; some moves are due to that.",
    ),
    "stale": (
        "마지막 주문이 {days}일 전({day})입니다. 주문 파일이 들어오고 있는지 확인하세요.",
        "The newest order is {days} days old ({day}). Are order files still coming in?",
    ),
    "shards_failed": (
        "고객을 나눈 {shards}묶음 가운데 {failed}묶음은 새로 계산하지 못해 이전 상태 그대로입니다.",
        "{failed} of {shards} groups of customers could not be refreshed and are shown as they were before.",
    ),
    "files_refused": ("파일 {files}개를 전혀 읽지 못했습니다.", "Files that could not be read at all: {files}."),
    "rows_rejected": (
        "파일의 {read}행 가운데 {rows}행을 쓰지 못했습니다.",
        "{rows} of {read} rows of the files could not be used.",
    ),
    # Segments
    "segments": ("세그먼트", "Segments"),
    "segments_lead": (
        "고객의 비중과 매출의 비중을 나란히 보여 줍니다. 매출 막대가 더 길면 적은 고객이 많이 산다는 뜻입니다.",
        "Each segment's share of customers beside its share of revenue. Where revenue is longer, few people buy much.",
    ),
    "segment": ("세그먼트", "Segment"),
    "share": ("비중", "Share"),
    "share_of_customers": ("고객 비중", "Share of customers"),
    "share_of_revenue": ("매출 비중", "Share of revenue"),
    "median": ("중앙값", "median"),
    "others": ("다른 세그먼트", "Other segments"),
    "others_lead": (
        "고객 한 명이 여러 세그먼트에 들 수 있습니다.",
        "A customer can be in several of these.",
    ),
    "nobody_in": ("해당 고객 없음: {names}", "Nobody is in: {names}"),
    # Moves
    "moves": ("고객의 이동", "How customers moved"),
    "moves_lead": (
        "왼쪽은 그때의 세그먼트, 오른쪽은 지금입니다. 세그먼트가 바뀐 고객만 그렸습니다.",
        "On the left the segment then, on the right the segment now. Only those who changed are drawn.",
    ),
    "day": ("어제부터", "Since yesterday"),
    "week": ("지난 7일", "Last 7 days"),
    "month": ("지난 30일", "Last 30 days"),
    "flow_title": ("{since} 이후 세그먼트 사이의 이동", "Moves between segments since {since}"),
    "flow_description": ("{moved}명이 옮겼고 {stayed}명은 그대로입니다.", "{moved} moved, {stayed} stayed."),
    "flow_part": ("{origin}에서 {target}으로 {customers}명", "{origin} to {target}: {customers}"),
    "newcomers": ("새 고객", "New customers"),
    "departed": ("합쳐진 고객", "Merged"),
    "moved_count": ("옮긴 고객 {moved}명 · 그대로 {stayed}명", "{moved} moved · {stayed} stayed"),
    "newcomers_count": ("새 고객 {count}명", "{count} new"),
    "flow_unknown": (
        "{begin}부터 기록이 있어 {ready}부터 볼 수 있습니다.",
        "Records begin on {begin}; this can be shown from {ready}.",
    ),
    "flow_never": ("아직 기록이 없습니다.", "There are no records yet."),
    "from_to": ("그때 ↓ · 지금 →", "then ↓ · now →"),
    "total": ("합계", "Total"),
    # Distributions
    "distributions": ("R, F, M 분포", "Distribution of R, F and M"),
    "distributions_lead": (
        "점선은 세그먼트 규칙의 경계입니다. 경계 바로 옆에 고객이 몰려 있으면 경계를 옮겼을 때 많이 바뀝니다.",
        "Dashed lines are the borders of the rules. Where many customers lie beside a border, moving it moves many.",
    ),
    "recency_days": ("R: 마지막 주문 후 지난 날", "R: days since the last order"),
    "orders_90d": ("F: 90일 동안의 주문 수", "F: orders in 90 days"),
    "aov_90d": ("M: 90일 평균 주문 금액", "M: average order of 90 days"),
    "recency_days_unit": ("{value}일", "{value} days"),
    "orders_90d_unit": ("{value}회", "{value} orders"),
    "recency_days_beyond": ("90일 넘은 고객 {count}명", "longer ago than 90 days: {count}"),
    "orders_90d_beyond": ("30회 넘은 고객 {count}명", "more than 30: {count}"),
    "orders_90d_none": ("90일 동안 주문 없음 {count}명", "none in 90 days: {count}"),
    "aov_90d_none": ("0원 {count}명", "nothing paid: {count}"),
    "recency_days_missing": ("주문한 적 없음 {count}명", "never ordered: {count}"),
    "aov_90d_missing": ("90일 동안 주문 없음 {count}명", "no order in 90 days: {count}"),
    "band": ("구간", "Range"),
    "from": ("{low} 이상", "{low} or more"),
    "over": ("{low} 초과", "more than {low}"),
    "up_to": ("{high} 이하", "up to {high}"),
    "below": ("{high} 미만", "below {high}"),
    "histogram_description": (
        "가장 많은 구간에 {most}명이 있습니다. 규칙의 경계: {borders}.",
        "{most} customers in the fullest bar. Borders of the rules: {borders}.",
    ),
    "border": ("경계 {value}", "Border {value}"),
    "tallest": ("최대 {count}명", "at most {count}"),
    # Traits
    "traits": ("세그먼트별 특징", "What each segment does"),
    "traits_lead": (
        "최근 1년의 확정 주문에서 실제로 관찰한 모습을 기대한 모습 옆에 적었습니다. "
        "5명보다 적은 세그먼트는 보여 주지 않습니다.",
        "As observed in the counted orders of the last year, beside what is expected. "
        "Segments of fewer than 5 are left out.",
    ),
    "traits_sample": (
        "고객 {observed}명을 무작위로 골라 살펴보았습니다.",
        "Observed in {observed} customers, picked at random.",
    ),
    "expected": ("기대", "Expected"),
    "observed": ("관찰", "Observed"),
    "categories": ("자주 사는 분류", "Categories"),
    "basket": ("평균 주문", "Average order"),
    "items": ("{items}개", "{items} items"),
    "between": ("주문 간격", "Days between orders"),
    "between_days": ("{days}일", "{days} days"),
    "novelty": ("신상품 · 한정 상품", "New · limited items"),
    "coupons": ("쿠폰 사용", "Coupon use"),
    "of_orders": ("주문의 {share}", "{share} of orders"),
    "hours": ("시간대", "Time of day"),
    "hours_peak": ("{first}–{last}시에 {share}", "{share} from {first} to {last} h"),
    "weekdays": ("요일", "Day of the week"),
    "weekday_peak": ("{weekday}에 {share}", "{share} on {weekday}"),
    "weekday_0": ("월요일", "Monday"),
    "weekday_1": ("화요일", "Tuesday"),
    "weekday_2": ("수요일", "Wednesday"),
    "weekday_3": ("목요일", "Thursday"),
    "weekday_4": ("금요일", "Friday"),
    "weekday_5": ("토요일", "Saturday"),
    "weekday_6": ("일요일", "Sunday"),
    "untold": (
        "파일에 적혀 있지 않아 알 수 없는 것: {names}.",
        "Not known, as the files do not tell: {names}.",
    ),
    "year_orders": ("최근 1년 주문", "Orders of a year"),
    "orders_of": ("{count}건", "{count}"),
    # The unclassified
    "unclassified": ("미분류 고객", "The unclassified"),
    "unclassified_lead": (
        "어느 규칙에도 들지 않는 고객이 어디에 몰려 있는지 보여 줍니다. 아래로 R, 옆으로 F입니다.",
        "Where those lie whom no rule holds: R down, F across.",
    ),
    "heat_title": ("미분류 고객의 수, R과 F의 구간별", "Unclassified customers by R and F"),
    "days_down": ("R(일) ↓ · F(회) →", "R (days) ↓ · F (orders) →"),
    "never": ("주문 없음", "never"),
    "suggestions": ("이런 규칙은 어떨까요?", "Rules that would catch most of them"),
    "suggestions_lead": (
        "지금 쓰는 경계만으로 만든 규칙입니다. segments.yaml의 rfm 맨 끝에 붙이면 됩니다.",
        "Made of the borders in use. Put it at the end of rfm in segments.yaml.",
    ),
    "suggestion_catches": (
        "{customers}명 · 미분류의 {share}",
        "{customers} customers · {share} of the unclassified",
    ),
    "nobody_unclassified": ("미분류 고객이 없습니다.", "Nobody is unclassified."),
    # Campaigns, data
    "campaigns": ("캠페인 성과", "What campaigns did"),
    "campaigns_link": ("{day}까지의 성과 보기", "See what they did up to {day}"),
    "campaigns_where": ("{day}까지의 성과가 있는 곳:", "Where they are told up to {day}:"),
    "quality": ("데이터 품질", "Data quality"),
    "quality_lead": (
        "새로 읽은 파일입니다. 읽은 행 = 반영 + 대체됨 + 제외.",
        "Files that are new. Rows read = accepted + superseded + rejected.",
    ),
    "no_files": ("새로 받은 파일이 없습니다.", "There are no new files."),
    "kind": ("종류", "Kind"),
    "kind_orders": ("주문", "Orders"),
    "kind_customers": ("고객", "Customers"),
    "kind_products": ("상품", "Products"),
    "kind_interests": ("관심 상품", "Interests"),
    "files": ("파일", "Files"),
    "rows_read": ("읽은 행", "Rows read"),
    "rows_accepted": ("반영", "Accepted"),
    "rows_superseded": ("대체됨", "Superseded"),
    "rejected": ("제외", "Rejected"),
    "rejected_for": ("제외된 까닭 (열)", "Rejected for column"),
    "rows": ("행", "Rows"),
    "file": ("파일", "File"),
    "reason": ("까닭", "Reason"),
    "without_customer": (
        "주문 행의 {share}에는 누구의 주문인지 적혀 있지 않습니다.",
        "{share} of the rows of orders do not say whose order it is.",
    ),
    "definitions": (
        "확정 주문은 결제되고 취소되지 않은 주문이며 환불은 뺐습니다. 미래 날짜의 주문은 세지 않습니다.",
        "Counted orders are paid and not cancelled, net of refunds. Orders of later dates are left out.",
    ),
}

EXPECTED: dict[str, tuple[str, str]] = {
    "vip_loyal": (
        "신상품/리미티드 빠르게 구매, 브랜드 큐레이션 신뢰도 높음, 리뷰 적극 참여",
        "buys new and limited items at once, trusts the brand's choice, writes reviews",
    ),
    "loyal": (
        "소품·뷰티 위주, 자주 방문/소액 반복 구매, 앱 이용 잦음",
        "accessories and beauty, comes often for small things, uses the app much",
    ),
    "big_spender": (
        "프리미엄 패션·가구 단가 높은 품목 중심, 객단가 매우 높음, VIP 이상급 잠재력",
        "premium fashion and furniture, very large orders, could be more than a VIP",
    ),
    "potential_loyal": (
        "단발성 혹은 소규모 구매, 재구매 경험은 적지만 충성 고객으로 전환 가능성 있음",
        "single or small purchases, has seldom come back but could become loyal",
    ),
    "at_risk": (
        "과거에는 자주 구매했으나 최근 활동 없음, 세일/리마인드 캠페인에 반응 가능",
        "bought often once, not lately; may answer to a sale or a reminder",
    ),
    "new": (
        "첫 구매 고객, 브랜드 경험 부족, 재구매 유도 및 온보딩 필요",
        "first purchase, knows the brand little; to be welcomed and led to a second order",
    ),
}
"""Default RFM segment → what the table they are from says is observed of it."""
