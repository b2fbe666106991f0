"""Words by which columns and answers of a survey are known, in the languages they are likely in."""

import re

WORDS = {  # measure -> how names of its columns begin or end, the longest first
    "expect": ("expectation", "expected", "expect", "exp", "e", "期望", "期待"),
    "perceive": ("perception", "perceived", "perceive", "perc", "per", "p", "感知", "实际"),
    "adequate": ("adequate", "adeq", "minimum", "min", "a", "最低"),
    "importance": ("importance", "import", "imp", "i", "重要性", "重要"),
    "standard": ("standard", "std", "s", "标准"),
    "promise": ("promised", "promise", "prom", "承诺"),
}
NAMED = (  # E1, exp_speed, speed_e, speed (expect)
    r"(?P<word>{})[_ .\-]?(?P<item>\d.*)",
    r"(?P<word>{})[_ .\-]+(?P<item>.+)",
    r"(?P<item>.+?)[_ .\-]*(?P<word>{})",
    r"(?P<item>.+) \((?P<word>{})\)",
)
YES, NO = ("yes", "y", "true", "ja", "oui", "是"), ("no", "n", "false", "nein", "non", "否")
USES = {
    "respondent": r"(respondent|resp|customer|case|person|user)?[_ ]?(id|no|nr|number)|respondent|编号|受访者|客户编号",
    "wave": r"wave|round|period|survey[_ ]?(wave|year)|year|轮次|年份",
    "weight": r"(survey[_ ]?)?(weight|wt|wgt)|gewicht|权重",
    "audience": r"audience|role|respondent[_ ]?type|who|对象|角色",
}
OUTCOMES = {
    "satisfaction": r"satisf|^sat$|^csat|满意",
    "loyalty": r"loyal|repurchas|rebuy|buy[_ ]?again|return[_ ]?intent|忠诚|再次购买|复购",
    "recommend": r"recommend|^nps|推荐",
    "complaint": r"complain|投诉",
    "resolved": r"resolved|解决",
    "word_of_mouth": r"^told|word[_ ]?of[_ ]?mouth|^wom",
    "buying": r"buying|change[_ ]?in[_ ]?buy",
}
AGREEMENT = (  # share of the scale, from low to high, that well-known words stand for
    (0.0, "strongly disagree", "very dissatisfied", "very poor", "非常不同意", "非常不满意", "很不满意"),
    (0.25, "disagree", "dissatisfied", "poor", "不同意", "不满意"),
    (0.5, "neutral", "neither agree nor disagree", "neither", "fair", "一般", "中立"),
    (0.75, "agree", "satisfied", "good", "同意", "满意"),
    (1.0, "strongly agree", "very satisfied", "excellent", "非常同意", "非常满意", "很满意"),
)
AUDIENCES = {
    "customer": r"custom|client|retail|buyer|顾客|客户",
    "manager": r"manage|director|chief|leiter|经理|管理",
    "staff": r"staff|employ|worker|clerk|front|员工",
}
NONE = {  # texts that are no answer
    "not_applicable": re.compile(
        r"n\.?[/ ]?a\.?|(not|in)[- ]?applicable|does not apply|entfällt|不适用", re.IGNORECASE
    ),
    "missing": re.compile(
        r"(i )?(don[’']?t|do not) know|no answer|no opinion|refused|dk|missing|k\. ?a\.|keine angabe|wei(ß|ss) nicht"
        r"|不知道|拒答|不清楚",
        re.IGNORECASE,
    ),
}
