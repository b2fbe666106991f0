"""What is known to open each gap, and what one would ask to find out."""

import pandas as pd

ZBP = "Zeithaml, Berry & Parasuraman 1988"
PZB = "Parasuraman, Zeithaml & Berry 1985"
LL = "Luk & Layton 2002"

# gap, antecedent, what measures it, who is asked, source
ANTECEDENTS = (
    (1, "marketing research orientation",
     "how much of it there is; whether it is used; whether it asks about service; how often managers meet customers",
     "managers", ZBP),
    (1, "upward communication",
     "how often staff report to managers what they hear; whether they are asked; whether that is face to face",
     "managers, staff", ZBP),
    (1, "levels of management", "how many stand between the top and those who serve", "managers", ZBP),
    (2, "management commitment to service quality",
     "money and people given to it; programmes for it within the firm; whether serving well is rewarded",
     "managers", ZBP),
    (2, "goal setting", "whether there is a set way of setting goals for service", "managers", ZBP),
    (2, "task standardization",
     "tools, and fixed ways of working, that make the service the same each time", "managers", ZBP),
    (2, "perception of feasibility",
     "whether the firm is equipped for what customers expect; whether managers think it can be met", "managers", ZBP),
    (3, "teamwork",
     "colleagues treated as customers; managers who care; helping, not competing; feeling involved", "staff", ZBP),
    (3, "employee–job fit", "ability to do it; care taken in choosing people", "staff, managers", ZBP),
    (3, "technology–job fit", "whether tools and systems are right for it", "staff", ZBP),
    (3, "perceived control",
     "say over one's own work; freedom towards customers; demand that can be foreseen", "staff", ZBP),
    (3, "supervisory control systems", "whether by how customers are served, not by output alone", "staff", ZBP),
    (3, "role conflict",
     "customers and firm wanting different things; paper and people needed for one order; rules that are at odds",
     "staff", ZBP),
    (3, "role ambiguity",
     "clear goals; downward communication; feedback on one's work; training in the goods and in dealing with people",
     "staff", ZBP),
    (4, "horizontal communication",
     "operations heard on advertising; staff informed of it first; sales in touch with operations; branches alike",
     "managers, staff", ZBP),
    (4, "propensity to overpromise",
     "pressure to win new business; rivals thought to promise too much", "managers, staff", ZBP),
    (5, "gaps 1 to 4", "their size and direction, on this board", "all three", ZBP),
    (5, "determinants of expectations",
     "what others say; own needs; own past; what the firm promises", "customers", PZB),
    (6, "employees' understanding of customers", "gap 1 asked of those who serve; contact with customers", "staff", LL),
    (7, "agreement of managers and employees", "gap 7 itself; vertical communication", "managers, staff", LL),
)  # fmt: skip


def gap_antecedents(gaps_model: pd.DataFrame) -> pd.DataFrame:
    """What may open each gap, and how that is measured.

    Parameters
    ----------
    gaps_model : DataFrame
        Of the function of this name.

    Returns
    -------
    DataFrame
        A row an antecedent: number of the gap, its state, antecedent, measure, respondents, source. Antecedents of a
        gap that is absent are listed all the same, as they may be asked.

    References
    ----------
    Parasuraman, Zeithaml & Berry (1985), Journal of Marketing 49(4), 41-50. Zeithaml, Berry & Parasuraman (1988),
    Journal of Marketing 52(2), 35-48. Luk & Layton (2002), Service Industries Journal 22(2), 109-128.
    """
    state = gaps_model.groupby("number").state.first()
    known = pd.DataFrame(ANTECEDENTS, columns=["number", "antecedent", "measure", "respondents", "source"])
    known.insert(1, "state", known.number.map(state).fillna("absent"))
    return known
