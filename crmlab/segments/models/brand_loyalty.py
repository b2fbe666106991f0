"""Usage by loyalty: how much of a category customers use, and whether they keep to own label, to a brand, or switch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.model import Unfitted, needs_fit, or_unfitted, prediction
from crmlab.segments.models.scheme import Scheme, check_features, check_rising, format_amount, require_features

USAGE_CLASSES = ("heavy", "medium", "light")
LOYALTY_CLASSES = ("own label", "national", "switcher")
REQUIRED = ("usage", "own_label_share", "national_share")


@dataclass(frozen=True)
class BrandLoyalty(Scheme):
    """Nine cells of a category's customers: heavy, medium or light, by own label, national brand or switcher.

    Parameters
    ----------
    usage_cuts : tuple of float
        Light is up to the first, heavy above the second, in the currency of the data.
    loyal_share : float
        Share of usage on own label, or on one national brand, from which a customer is loyal; above 0.5, up to 1.
    """

    usage_cuts: tuple
    loyal_share: float = 2 / 3

    name, title, columns = "brand_loyalty", "Brand loyalty", REQUIRED
    labels = tuple(f"{level}, {loyalty}" for level in USAGE_CLASSES for loyalty in LOYALTY_CLASSES)

    def __post_init__(self) -> None:
        falls = len(self.usage_cuts) != 2 or not self.usage_cuts[0] <= self.usage_cuts[1]
        if falls or not 0.5 < self.loyal_share <= 1:
            raise InputError(
                f"BrandLoyalty: usage_cuts = {self.usage_cuts!r}, loyal_share = {self.loyal_share!r}; "
                "give two cuts in order, and a share above 0.5, up to 1"
            )

    @classmethod
    @or_unfitted
    def fit(
        cls, brands: pd.DataFrame, usage_quantiles: Sequence[float] = (1 / 3, 2 / 3), loyal_share: float = 2 / 3
    ) -> "BrandLoyalty | Unfitted":
        """Cells whose cuts of usage are learned from a category's customers.

        Parameters
        ----------
        brands : DataFrame
            One row a customer of the category, of `brand_customers`.
        usage_quantiles : sequence of float
            Shares of customers who are light, and light or medium.
        loyal_share : float
            Share of usage on own label, or on one national brand, from which a customer is loyal; above 0.5, up to 1.

        Returns
        -------
        BrandLoyalty or Unfitted
            Unfitted where usage is the same for all, or customers are fewer than cells.

        Raises
        ------
        InputError
            Where quantiles are out of order, or the share is not possible.
        """
        usage_quantiles = check_rising(usage_quantiles, 0, 1, "usage_quantiles")
        if len(usage_quantiles) != 2 or not 0.5 < loyal_share <= 1:
            raise InputError(
                f"usage_quantiles = {usage_quantiles}, loyal_share = {loyal_share!r}: "
                "give two quantiles, and loyal_share above 0.5, up to 1"
            )
        require_features(brands, cls.name, REQUIRED, varying=["usage"], min_customers=len(cls.labels))
        cuts = np.quantile(brands.usage, usage_quantiles, method="inverted_cdf").tolist()
        return cls(tuple(cuts), float(loyal_share))

    @prediction
    def assign(self, brands: pd.DataFrame) -> pd.Series:
        """The cell of each customer of the category.

        Parameters
        ----------
        brands : DataFrame
            One row a customer of the category, of `brand_customers`.

        Returns
        -------
        Series
            Ordered categories of `labels`, the best first, by customer; named for the scheme.

        Raises
        ------
        InputError
            Where a column is missing, or usage is 0 or less.
        """
        return super().assign(brands)

    def _places(self, features):
        check_features(features, self.name, REQUIRED)
        if unused := int((features.usage <= 0).sum()):
            raise InputError(
                f"features: 'usage' is 0 or less for {unused:,} of {len(features):,} customers, who are none of the "
                f"category; leave them out of {self.name}"
            )
        level = 2 - np.searchsorted(self.usage_cuts, features.usage.to_numpy(float))
        own, national = (features[name].to_numpy(float) >= self.loyal_share for name in REQUIRED[1:])
        return 3 * level + np.select([own, national], [0, 1], 2)

    def _descriptions(self):
        lower, upper, loyal = (format_amount(v) for v in (*self.usage_cuts, self.loyal_share))
        usage = (f"usage above {upper}", f"usage above {lower}, up to {upper}", f"usage up to {lower}")
        share = (f"own label at least {loyal} of it", f"one national brand at least {loyal} of it", "neither")
        return [f"{use}; {part}" for use in usage for part in share]


@needs_fit
def usage_by_loyalty(labels: pd.Series) -> pd.DataFrame:
    """Share of the category's customers in each cell.

    Parameters
    ----------
    labels : Series
        Of `BrandLoyalty.assign`.

    Returns
    -------
    DataFrame
        Usage by loyalty, shares of customers, 0 to 1; `attrs["people"]` says of how many.
    """
    shares = labels.value_counts(sort=False, normalize=True).to_numpy().reshape(3, 3)
    found = pd.DataFrame(shares, pd.Index(USAGE_CLASSES, name="usage"), pd.Index(LOYALTY_CLASSES, name="loyalty"))
    found.attrs["people"] = int(labels.count())
    return found
