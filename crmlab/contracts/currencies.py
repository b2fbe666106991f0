"""Signs and codes of currencies, as they stand beside amounts, and the currencies that each may mean."""

import re

ISO_4217 = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR
ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT
MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD
SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND
VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG
"""
CODES = frozenset(ISO_4217.split())
IN_DOLLARS = "USD AUD BBD BMD BND BSD BZD CAD FJD GYD HKD JMD KYD LRD NAD NZD SBD SGD SRD TTD TWD XCD"
IN_PESOS = "ARS CLP COP CUP DOP MXN UYU"
DOLLARS = frozenset(f"{IN_DOLLARS} {IN_PESOS}".split())
KRONER, RUPEES = {"DKK", "ISK", "NOK", "SEK"}, {"INR", "LKR", "MUR", "NPR", "PKR"}
SIGNS = {
    "$": DOLLARS, "US$": {"USD"}, "A$": {"AUD"}, "AU$": {"AUD"}, "C$": {"CAD"}, "CA$": {"CAD"}, "HK$": {"HKD"},
    "MX$": {"MXN"}, "NT$": {"TWD"}, "NZ$": {"NZD"}, "R$": {"BRL"}, "S$": {"SGD"}, "€": {"EUR"}, "Euro": {"EUR"},
    "£": {"GBP", "EGP", "FKP", "GIP", "LBP", "SDG", "SHP", "SSP", "SYP"}, "¥": {"JPY", "CNY"}, "￥": {"JPY", "CNY"},
    "元": {"CNY", "HKD", "TWD"}, "円": {"JPY"}, "₩": {"KRW", "KPW"}, "₹": {"INR"}, "Rs.": RUPEES,
    "Rs": RUPEES, "₽": {"RUB"}, "₺": {"TRY"}, "₪": {"ILS"}, "₫": {"VND"}, "₴": {"UAH"},
    "₦": {"NGN"}, "₱": {"PHP", "CUP"}, "฿": {"THB"}, "₸": {"KZT"}, "₡": {"CRC"}, "₲": {"PYG"}, "₵": {"GHS"},
    "₭": {"LAK"}, "₮": {"MNT"}, "₼": {"AZN"}, "₾": {"GEL"}, "kr.": KRONER, "kr": KRONER,
    "Kč": {"CZK"}, "zł": {"PLN"}, "Ft": {"HUF"}, "lei": {"RON", "MDL"}, "SFr.": {"CHF"}, "Fr.": {"CHF"},
}  # fmt: skip
SIGN = "|".join(re.escape(sign) for sign in sorted((*SIGNS, *CODES), key=len, reverse=True))  # pattern of one


def meant_by(sign: str) -> frozenset[str]:
    """The codes of the currencies that a sign or a code may mean; none where it is unknown."""
    return frozenset({sign} if sign in CODES else SIGNS.get(sign, ()))
