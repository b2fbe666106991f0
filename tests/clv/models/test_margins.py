from datetime import date

import pytest

from crmlab import catalog, clv

ORIGINS = [date(1997, 6, 30), date(1997, 9, 30)]


def test_margins_at_an_origin_are_those_of_the_models_fitted_there():
    orders = catalog.orders("cdnow_sample")
    found = clv.expected_margins(orders, ORIGINS, "bg_nbd", 90, 0.10, 0.5)
    customers = clv.summarise(orders, ORIGINS[1])
    fitted, spend = clv.fit(customers, "bg_nbd"), clv.fit_spend(customers)
    scored = clv.score(customers, fitted, spend, 90, 0.10, 0.5).execute().set_index("customer_id").value
    assert found.loc[ORIGINS[1]].expected_margin.to_dict() == pytest.approx(scored.to_dict())
    assert len(found.loc[ORIGINS[0]]) == len(found.loc[ORIGINS[1]]) == 2357
    assert (found.reason == "").all()
    assert (found.model == "BG/NBD").all()


def test_margins_that_cannot_be_expected_are_blank_with_the_reason():
    found = clv.expected_margins(catalog.orders("cdnow_sample"), [date(1997, 1, 2)], "bg_nbd", 90)
    assert found.expected_margin.isna().all()
    assert found.reason.str.len().gt(20).all()
