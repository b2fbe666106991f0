"""Fit a model by its name."""

from collections.abc import Mapping

import pandas as pd

from crmlab.clv.models.bgbb import DailyBGBB
from crmlab.clv.models.bgnbd import BGNBD, MBGNBD
from crmlab.clv.models.gamma_gamma import GammaGamma
from crmlab.clv.models.nbd import NBD
from crmlab.clv.models.orders import CustomerModel, OrderModel
from crmlab.clv.models.pareto_nbd import ParetoNBD
from crmlab.clv.tables import Customers, collapsed
from crmlab.contracts import InputError
from crmlab.contracts.errors import suggest
from crmlab.estimate import Estimate
from crmlab.likelihood import REPLICATES
from crmlab.model import Unfitted, needs_fit

MODELS: dict[str, type[OrderModel]] = {
    "nbd": NBD, "bg_nbd": BGNBD, "mbg_nbd": MBGNBD, "pareto_nbd": ParetoNBD, "bg_bb": DailyBGBB
}  # fmt: skip
TITLES = {name: model.title for name, model in MODELS.items()}


def fit(
    customers: Customers, model: str = "bg_nbd", replicates: int = REPLICATES, seed: int = 1
) -> OrderModel | Unfitted:
    """Fit a model of repeat orders to customers.

    Parameters
    ----------
    customers : Ibis table or DataFrame
        The table of `summarise`, or the frame of `collapse`.
    model : str
        Its name: nbd, bg_nbd, mbg_nbd, pareto_nbd or bg_bb (with days as its periods).
    replicates : int
        Draws of the parameters kept for intervals; 0 keeps none, and gives no interval.
    seed : int
        Start of the generator of draws.

    Returns
    -------
    OrderModel or Unfitted
        The fitted model; Unfitted, with its reason, where the likelihood has no clear maximum.

    Raises
    ------
    InputError
        Where there is no such model, or customers are impossible.

    References
    ----------
    Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way; the classes name the source of each model.

    Examples
    --------
    >>> from crmlab import catalog, clv
    >>> orders = catalog.orders("cdnow_sample")
    >>> clv.fit(clv.summarise(orders, "1997-09-30"), "bg_nbd")
    BGNBD(r=0.2426 ± 0.013, alpha=30.9 ± 2.6, a=0.7929 ± 0.19, b=2.426 ± 0.71)
    """
    return order_model(model).fit(collapsed(customers), replicates=replicates, seed=seed)


def order_model(name: str) -> type[OrderModel]:
    """The class of a model of repeat orders. Raises InputError where there is none of the name."""
    if isinstance(name, str) and name in MODELS:
        return MODELS[name]
    hint = suggest(name, MODELS, "choose one of these")
    raise InputError(f"model = {name!r}: there are {', '.join(MODELS)}; {hint}")


def fit_spend(customers: Customers, replicates: int = REPLICATES, seed: int = 1) -> GammaGamma | Unfitted:
    """Fit Gamma-Gamma to what repeat buyers spend on an order day.

    Parameters
    ----------
    customers : Ibis table or DataFrame
        The table of `summarise`, or a frame with frequency and monetary_value.
    replicates : int
        Draws of the parameters kept for intervals; 0 keeps none, and gives no interval.
    seed : int
        Start of the generator of draws, which are independent of those of `fit` by the same seed.

    Returns
    -------
    GammaGamma or Unfitted
        The fitted model; Unfitted, with its reason, where the likelihood has no clear maximum.

    Raises
    ------
    InputError
        Where customers are impossible.

    References
    ----------
    Fader & Hardie (2013), The Gamma-Gamma Model of Monetary Value.

    Examples
    --------
    >>> from crmlab import catalog, clv
    >>> clv.fit_spend(clv.summarise(catalog.orders("cdnow_sample"), "1997-09-30"))
    GammaGamma(p=6.25 ± 1.2, q=3.744 ± 0.29, gamma=15.44 ± 4.2)
    """
    return GammaGamma.fit(collapsed(customers, *GammaGamma.NEEDS), replicates=replicates, seed=seed)


@needs_fit
def log_likelihood(model: CustomerModel, customers: Customers) -> Estimate:
    """Compute the log-likelihood of a fitted model on customers, time in days.

    Parameters
    ----------
    model : OrderModel, GammaGamma or Unfitted
        Fitted model of orders, or of spend.
    customers : Ibis table or DataFrame
        The table of `summarise`, or the frame of `collapse`, for GammaGamma by monetary_value.

    Returns
    -------
    Estimate
        Without an interval.
    """
    return Estimate(model.log_likelihood(collapsed(customers, *model.NEEDS)))


def parameters(fits: Mapping[str, CustomerModel | Unfitted]) -> pd.DataFrame:
    """Set the parameters of several fits one below the other.

    Parameters
    ----------
    fits : mapping
        Name -> fitted model, or Unfitted, which has no rows.

    Returns
    -------
    DataFrame
        By fit and parameter: value, standard_error, ci_low, ci_high.
    """
    found = {name: model.parameters for name, model in fits.items() if model}
    blanks = (model.parameters for model in fits.values())
    return pd.concat(found, names=["fit"]) if found else next(blanks, pd.DataFrame())


def repeat_buyers_without_spend(customers: Customers) -> Estimate:
    """Count the repeat buyers who spent nothing on their repeat orders, and are left out of the fit of spend.

    Parameters
    ----------
    customers : Ibis table or DataFrame
        The table of `summarise`, or the frame of `collapse` by monetary_value.

    Returns
    -------
    Estimate
        Customers, count, of `n` repeat buyers.
    """
    frame = collapsed(customers, "monetary_value")
    buyers = frame[frame.frequency > 0]
    count = buyers.customers[~GammaGamma.eligible(buyers)].sum()
    return Estimate(int(count), n=int(buyers.customers.sum()), unit="customers", kind="count")
