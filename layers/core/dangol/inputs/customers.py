"""Customers files: who a person is and what they consented to. Subscribers who never bought are in them too."""

from dangol.inputs.table import DAY, FLAG, MOMENT, PERSON, PERSON_COLUMNS, TEXT, WORD, Column, Table

CUSTOMERS = Table(
    name="customers",
    columns=(
        *PERSON_COLUMNS,
        Column(
            "customer_name", TEXT, "personal; what messages call the person", "고객명|이름|회원명|성명|name|full name"
        ),
        Column(
            "gender",
            WORD,
            "female, male or other",
            "성별|sex",
            {"female": "여|여성|여자|f|w|woman", "male": "남|남성|남자|m|man", "other": "기타|x|무관|nonbinary"},
        ),
        Column("birthday", DAY, "date of birth", "생일|생년월일|birth date|date of birth|dob"),
        Column("city", TEXT, "where the person lives", "도시|지역|거주지|시도|시/도|town"),
        Column(
            "subscribed_on",
            DAY,
            "since when the shop may write to the person",
            "가입일|가입일자|구독일|subscribed at|signup date",
        ),
        Column(
            "accepts_email",
            FLAG,
            "consent to advertising by e-mail",
            "이메일수신|이메일 수신동의|메일수신여부|email consent|email opt in",
        ),
        Column("email_consent_at", MOMENT, "when it was given or withdrawn", "이메일 동의일시|이메일 수신동의일"),
        Column(
            "accepts_push",
            FLAG,
            "consent to advertising by push",
            "푸시수신|푸시 수신동의|앱푸시수신|push consent|push opt in",
        ),
        Column("push_consent_at", MOMENT, "when it was given or withdrawn", "푸시 동의일시|푸시 수신동의일"),
        Column(
            "accepts_night_push",
            FLAG,
            "separate consent to push from 21:00 to 08:00",
            "야간푸시수신|야간 푸시 수신동의|야간수신동의|night push consent",
        ),
        Column("night_push_consent_at", MOMENT, "when it was given or withdrawn", "야간푸시 동의일시|야간 수신동의일"),
        Column(
            "accepts_ad_audiences",
            FLAG,
            "separate consent that contact data are given to ad platforms, hashed",
            "광고 플랫폼 제공동의|제3자 제공동의|ad audience consent",
        ),
        Column("push_token", TEXT, "the app's token; personal", "푸시토큰|device token"),
        Column(
            "push_platform",
            WORD,
            "fcm or apns",
            "푸시플랫폼|platform",
            {"fcm": "android|gcm|firebase", "apns": "ios|apple"},
        ),
        Column(
            "merged_into", TEXT, "the account that this one is now part of", "통합계정|병합계정|통합회원번호|merged to"
        ),
    ),
    required=(PERSON,),
    identified=True,
    key=("customer_id",),
)
