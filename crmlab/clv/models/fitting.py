"""Fit a model by its name."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from crmlab.clv.models.gamma_gamma import GammaGamma
from crmlab.clv.models.names import Choice, order_model
from crmlab.clv.models.orders import CustomerModel, OrderModel
from crmlab.clv.tables import Customers, collapsed, collapsed_spend, mean_spends, with_geometric_means
from crmlab.estimate import Estimate
from crmlab.likelihood import REPLICATES, values, with_uncertainty
from crmlab.model import Unfitted, needs_fit


def fit(
    customers: Customers,
    model: str | Choice = "bg_nbd",
    replicates: int = REPLICATES,
    seed: int = 1,
    prior: Literal["none", "weak"] = "none",
) -> OrderModel | Unfitted:
    """Fit a model of repeat orders to customers.

    Parameters
    ----------
    customers : Ibis table or DataFrame
        The table of `summarise`, or the frame of `collapse`.
    model : str or Choice
        Its name: nbd, bg_nbd, mbg_nbd, pareto_nbd or bg_bb (with days as its periods); or what `choose` took, in place
        of which the next of its models is fitted where it cannot be.
    replicates : int
        Draws of the parameters kept for intervals; 0 keeps none, and gives no interval.
    seed : int
        Start of the generator of draws.
    prior : str
        "weak" adds a prior that is centred by the data and hardly matters where these are many, so that there is a fit
        where the likelihood alone has no maximum; see `checks.forecast_rests_on_data`.

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
    customers = collapsed(customers)
    names = (model.name, *model.otherwise) if isinstance(model, Choice) else (model,)
    how: dict[str, Any] = {"replicates": replicates, "seed": seed, "prior_sd": 1.0 if prior == "weak" else None}
    fits = (order_model(name).fit(customers, **how) for name in names)
    first = next(fits)
    return first or next((fitted for fitted in fits if fitted), first)


def fit_spend(customers: Customers, replicates: int = REPLICATES, seed: int = 1) -> GammaGamma | Unfitted:
    """Fit Gamma-Gamma to what repeat buyers spend on an order day.

    Parameters
    ----------
    customers : Ibis table or DataFrame
        The table of `summarise`, or a frame with frequency and monetary_value. Of a table of more than 200,000 repeat
        buyers, mean spends are fitted in bins 0.5 % wide; `spend_note` says how far that moves the parameters.
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
    frame = mean_spends(customers)
    fitted = GammaGamma.fit(frame, replicates=replicates, seed=seed)
    return _with_bin_error(fitted, frame) if fitted and "bin_width" in frame.attrs else fitted


def _with_bin_error(fitted, frame):
    """The fit, with how far bins of mean spend move its parameters: a third of what bins twice as wide do further."""
    logs = np.log(frame.monetary_value) * frame.customers
    pairs = frame.assign(bin=frame.bin // 2, log=logs).groupby(["frequency", "bin"], as_index=False)
    wider = with_geometric_means(pairs[["customers", "log"]].sum(), 2 * frame.attrs["bin_width"])
    moved = np.array(values(GammaGamma.fit(wider, replicates=0))) / values(fitted) - 1
    return with_uncertainty(fitted, replace(fitted.uncertainty, bin_error=float(np.abs(moved).max() / 3)))


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
    frame = collapsed_spend(customers)
    buyers = frame[frame.frequency > 0]
    count = buyers.customers[~GammaGamma.eligible(buyers)].sum()
    return Estimate(int(count), n=int(buyers.customers.sum()), unit="customers", kind="count")
