"""Words by which columns and answers of a survey are known, in the languages they are likely in."""

import re

WORDS = {  # measure -> how names of its columns begin or end
    "expect": (
        *("expectations", "expectation", "expected", "expect", "exp", "e", "erwartungen", "erwartung", "erwartet"),
        *("期望值", "期望", "期待", "기대수준", "기대도", "기대"),
    ),
    "perceive": (
        *("perceptions", "perception", "perceived", "perceive", "perc", "per", "p", "performance", "perf"),
        *("wahrnehmungen", "wahrnehmung", "wahrgenommen", "实际感受", "实际感知", "感知值", "感知", "感受", "实际"),
        *("인지수준", "인지도", "인지", "지각", "성과"),
    ),
    "adequate": ("adequate", "adeq", "minimum", "min", "a", "最低", "최소"),
    "importance": ("importance", "import", "imp", "i", "wichtigkeit", "重要性", "重要度", "重要", "중요도", "중요"),
    "standard": ("standard", "std", "s", "标准"),
    "promise": ("promised", "promise", "prom", "承诺"),
}
NAMED = (  # E1 and 期望准时, exp_speed, speed_e, speed (expect), Q1 expected: speed; the last leaves the number out
    r"(?P<word>{})[_ .:\-]?(?P<item>\d.*)",
    r"(?P<word>{})(?:[_ .:/\-]+|(?<=[^\x00-\x7f]))(?P<item>.+)",
    r"(?P<item>.+?)[_ .:/\-]*(?P<word>{})",
    r"(?P<item>.+?) ?[(\[](?P<word>{})[)\]]",
    r"(?P<head>.+?)[_ .:/\-]+(?P<word>{})[_ .:/\-]+(?P<item>.+)",
    r".+?[_ .:/\-]+(?P<word>{})[_ .:/\-]+(?P<item>.+)",
)
YES, NO = ("yes", "y", "true", "ja", "oui", "是", "예"), ("no", "n", "false", "nein", "non", "否", "아니오")
USES = {
    "respondent": r"(respondent|resp|customer|case|person|user)?[_ \-]?(id|no|nr|number)|respondent"
    r"|(befragten|kunden)[_ \-]?(nr|nummer|id)|befragter?|编号|受访者|客户编号|번호|응답자(번호)?|고객번호",
    "wave": r"wave|round|period|survey[_ ]?(wave|year)|year|welle|runde|jahr|轮次|年份|차수|연도",
    "weight": r"(survey[_ ]?)?(weight|wt|wgt)|gewicht(ung)?|权重|가중치",
    "audience": r"audience|role|respondent[_ ]?type|who|rolle|对象|角色|역할",
}
DATES = r"(survey|interview|response)?[_ ]?date|datum|befragungsdatum|日期|调查日期|날짜|조사일"
OUTCOMES = {
    "satisfaction": r"satisf|^sat([_ ]?\d+)?$|^csat|zufrieden|满意|만족",
    "loyalty": r"loyal|repurchas|rebuy|buy[_ ]?again|return[_ ]?intent|wiederkauf|wieder kaufen|忠诚|再次购买|复购"
    r"|재구매|재이용|충성",
    "recommend": r"recommend|^nps|empfehl|推荐|추천",
    "complaint": r"complain|beschwer|reklam|投诉|불만|불평",
    "resolved": r"resolved|gelöst|解决|해결",
    "word_of_mouth": r"^told|word[_ ]?of[_ ]?mouth|^wom",
    "buying": r"buying|change[_ ]?in[_ ]?buy",
}
OVERALL = r"overall|in general|all in all|insgesamt|alles in allem|总体|整体|总的|전반|종합"
AGREEMENT = (  # share of the scale, from low to high, that well-known words stand for
    (
        0.0,
        "strongly disagree",
        "very dissatisfied",
        "very poor",
        "stimme überhaupt nicht zu",
        "sehr unzufrieden",
        "非常不同意",
        "非常不满意",
        "很不满意",
        "매우 그렇지 않다",
        "매우 불만족",
    ),
    (
        0.25,
        "disagree",
        "dissatisfied",
        "poor",
        "stimme nicht zu",
        "unzufrieden",
        "不同意",
        "不满意",
        "그렇지 않다",
        "불만족",
    ),
    (
        0.5,
        "neutral",
        "neither agree nor disagree",
        "neither",
        "fair",
        "teils/teils",
        "一般",
        "中立",
        "보통이다",
        "보통",
    ),
    (0.75, "agree", "satisfied", "good", "stimme zu", "zufrieden", "同意", "满意", "그렇다", "만족"),
    (
        1.0,
        "strongly agree",
        "very satisfied",
        "excellent",
        "stimme voll und ganz zu",
        "sehr zufrieden",
        "非常同意",
        "非常满意",
        "很满意",
        "매우 그렇다",
        "매우 만족",
    ),
)
AUDIENCES = {
    "customer": r"custom|client|retail|buyer|kund|顾客|客户|고객",
    "manager": r"manage|director|chief|leiter|经理|管理|관리자",
    "staff": r"staff|employ|worker|clerk|front|mitarbeit|员工|직원",
}
NONE = {  # texts that are no answer
    "not_applicable": re.compile(
        r"n\.?[/ ]?a\.?|(not|in)[- ]?applicable|does not apply|entfällt|不适用|해당 ?없음", re.IGNORECASE
    ),
    "missing": re.compile(
        r"(i )?(don[’']?t|do not) know|no answer|no opinion|refused|dk|missing|k\. ?a\.|keine angabe|wei(ß|ss) nicht"
        r"|不知道|拒答|不清楚|모름|무응답",
        re.IGNORECASE,
    ),
}
