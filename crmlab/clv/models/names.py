"""Models of orders by their names, and which of them a report takes."""

from dataclasses import dataclass, field

import pandas as pd

from crmlab.clv.models.bgbb import DailyBGBB
from crmlab.clv.models.bgnbd import BGNBD, MBGNBD
from crmlab.clv.models.nbd import NBD
from crmlab.clv.models.orders import OrderModel
from crmlab.clv.models.pareto_nbd import ParetoNBD
from crmlab.contracts import InputError
from crmlab.contracts.errors import suggest
from crmlab.model import Unfitted

MODELS: dict[str, type[OrderModel]] = {
    "nbd": NBD, "bg_nbd": BGNBD, "mbg_nbd": MBGNBD, "pareto_nbd": ParetoNBD, "bg_bb": DailyBGBB
}  # fmt: skip
TITLES = {name: model.title for name, model in MODELS.items()}


@dataclass(frozen=True)
class Choice:
    """The model of orders that a report rests on, of `choose`.

    Parameters
    ----------
    name : str
        Of the model: nbd, bg_nbd, mbg_nbd, pareto_nbd or bg_bb.
    otherwise : tuple of str
        Names of the models to fit, one after the other, where it cannot be fitted.
    reason : str
        Why it was taken, in a sentence.
    on_holdout : bool
        Whether the days that chose it are those that judge it, so that they cannot.
    automatic : bool
        Whether the data chose it.
    scores : DataFrame
        By model: score, the log of the probability that it gave to what came on the days predicted; difference from
        the best, with its interval, ci_low and ci_high; reason, where it has no score.
    """

    given_by = "clv.choose"
    name: str
    otherwise: tuple[str, ...] = ()
    reason: str = ""
    on_holdout: bool = False
    automatic: bool = False
    scores: pd.DataFrame = field(default_factory=pd.DataFrame, compare=False)

    @property
    def model(self) -> type[OrderModel]:
        """Class of the model."""
        return order_model(self.name)

    def __str__(self) -> str:
        return self.reason


def order_model(name: str, others: tuple[str, ...] = ()) -> type[OrderModel]:
    """The class of a model of repeat orders. Raises InputError where there is none of the name, nor among `others`."""
    if isinstance(name, str) and name in MODELS:
        return MODELS[name]
    names = (*others, *MODELS)
    hint = suggest(name, names, "choose one of these")
    raise InputError(f"model = {name!r}: there are {', '.join(names)}; {hint}")


def model_name(model: OrderModel | Unfitted) -> str:
    """Give the name of a model of repeat orders.

    Parameters
    ----------
    model : OrderModel or Unfitted
        Fitted model of orders, or one that could not be fitted.

    Returns
    -------
    str
        As `fit` takes it: nbd, bg_nbd, mbg_nbd, pareto_nbd or bg_bb.
    """
    return next(name for name, title in TITLES.items() if title == model.title)
